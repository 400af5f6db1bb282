/*M!999999\- enable the sandbox mode */
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------

CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`;
USE `shop`;
CREATE TABLE `users` (
  `id` int(11) NOT NULL,
  `email` varchar(100) DEFAULT NULL
) ENGINE=InnoDB;
INSERT INTO `users` VALUES
(1,'a@example.org'),
(2,'b@example.org');
USE `blog`;
CREATE TABLE `users` (
  `id` int(11) NOT NULL,
  `login` varchar(100) DEFAULT NULL
) ENGINE=InnoDB;
INSERT IGNORE INTO `users` (`login`,`id`) VALUES ('anna',7);
REPLACE INTO `users` VALUES (8,'berta') ON DUPLICATE KEY UPDATE `login`='x y';
CREATE TABLE `empty` (`one` int, `two` text);
