/*
 * Delivered by Pia Holm
 */
CREATE TABLE staff (id NUMBER(10) PRIMARY KEY, name VARCHAR2(40), hired DATE);
INSERT INTO staff (id, name, hired) VALUES (1, 'Ann ''A''', TO_DATE('2020-01-31', 'YYYY-MM-DD'));
INSERT ALL
  INTO staff (id, name) VALUES (2, 'Bob')
  INTO staff (id, name) VALUES (3, 'Cyd')
SELECT * FROM dual;
UPDATE staff SET name = 'Dee Falk' WHERE id = 3;
INSERT INTO staff VALUES (4, 'oops';
INSERT INTO staff VALUES (5, 'Eli', NULL);
