# exported by hand
INSERT INTO `people` VALUES (1,"Ida \"Id\" Berg",'x'),(2,'Jo',NULL,'extra');
INSERT INTO `people` VALUES (3);
