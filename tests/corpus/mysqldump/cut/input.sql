-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
CREATE TABLE `t` (
  `a` int,
  `b` varchar(10)
) ENGINE=InnoDB;
INSERT INTO `t` VALUES (1,'one'),(2,'two'),(3,'thr
