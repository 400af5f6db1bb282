PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE contact(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, "full name" TEXT, [note] BLOB); -- kept by Mia L.
INSERT INTO contact VALUES(1,'k1','Zoë ''Zo'' Lund',X'68656c6c6f');
INSERT INTO contact VALUES(2,NULL,replace('first\nsecond','\n',char(10)),X'00ff10');
INSERT INTO contact VALUES(3,1.5,unistr('tab\u0009x'),NULL);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('contact',3);
CREATE TRIGGER trg AFTER INSERT ON contact BEGIN
  INSERT INTO audit VALUES(new.id, CASE WHEN new.key IS NULL THEN 1 ELSE 2 END);
  UPDATE contact SET note = 'seen by Bo Ek' WHERE id = new.id;
END;
CREATE VIEW v AS SELECT * FROM contact;
COMMIT;
