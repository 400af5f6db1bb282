BEGIN;

SET client_encoding = 'LATIN1';

CREATE TABLE city (id integer, name text);

COPY city (id, name) FROM stdin;
1	Málaga
2	Köln
