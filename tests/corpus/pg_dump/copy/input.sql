--
-- PostgreSQL database dump
--

\restrict abc

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$
  SELECT 'call Mr. Novak; he knows';
$_$;

CREATE TABLE public.person (
    id integer NOT NULL,
    name character varying(40) DEFAULT 'x'::character varying,
    key text,
    doc bytea,
    CONSTRAINT ck CHECK ((id > 0))
);

ALTER TABLE public.person ADD COLUMN extra jsonb;
CREATE TABLE public.child (more integer) INHERITS (public.person);
COMMENT ON COLUMN public.person.name IS 'filled in by Eva K.';

COPY public.person (id, name, key, doc) FROM stdin;
1	Anna\tB\nC	\N	\\x68690a
2	\\N		\\x00ff
3	l'été "q"	a\\b	\N
\.


SELECT pg_catalog.setval('public.s', 605, true);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT pk PRIMARY KEY (id);

\unrestrict abc
