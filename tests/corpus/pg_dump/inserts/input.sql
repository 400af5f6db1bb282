--
-- PostgreSQL database dump
--

SET standard_conforming_strings = on;

CREATE TABLE public.t (
    "Weird ""Name" text,
    b integer,
    c timestamp without time zone
);

INSERT INTO public.t VALUES ('C:\', 1, '2020-01-01 00:00:00');
INSERT INTO public.t VALUES ('it''s; (1), (2)', NULL, NULL);
INSERT INTO public.t ("Weird ""Name", c) VALUES (E'a\nb', '2020-01-02'::timestamp without time zone);
INSERT INTO public.t OVERRIDING SYSTEM VALUE VALUES ('multi', 2, NULL),
	('row', 3, NULL) ON CONFLICT DO NOTHING;
COPY public.t FROM stdin WITH (FORMAT csv, HEADER, DELIMITER ';', NULL '-');
x;y;z
"a;""b""
c";5;-
-;"-";2020-02-02
\.
