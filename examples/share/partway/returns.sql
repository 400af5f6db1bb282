--
-- PostgreSQL database dump
--

-- Dumped from database version 16.4

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE TABLE public.returns (
    return_id integer NOT NULL,
    recipient text NOT NULL,
    street text,
    postcode text,
    city text,
    email text,
    part text,
    refunded boolean
);


COPY public.returns (return_id, recipient, street, postcode, city, email, part, refunded) FROM stdin;
1	Julia Lehmann	Am Mühlbach 50	10967	Berlin	julia.lehmann@example.net	cabin filter	t
2	Charlotte Whitcombe	119 Orchard Close	NR2 3LS	Norwich	charlotte.whitcombe@example.com	cabin filter	f
3	Oliver Jones	107 Victoria Road	B15 3HE	Birmingham	oliver.jones@example.org	cabin filter	f
4	Stephen Robinson	138 Kings Road	M14 5RB	Manchester	stephen.robinson@example.org	charging cable	f
5	Edward Patel	112 Kings Road	L17 8XD	Liverpool	edward.patel@example.org	wiper blade	f
6	Felix Fischer	Birkenallee 19	04229	Leipzig	felix.fischer@example.org	roof rack	f
7	Thomas Richter	Bahnhofstraße 124	50823	Köln	thomas.richter@example.com	wiper blade	t
8	Björn Krause	Schillerstraße 130	50823	Köln	bjoern.krause@example.com	floor mat	t
9	Heike Bauer	Bergstraße 21	20253	Hamburg	heike.bauer@example.org	charging cable	f
10	Joseph Brown	131 Larkspur Lane	YO31 7EA	York	joseph.brown@example.org	floor mat	f
11	Helen Ellison	80 Kings Road	B15 3HE	Birmingham	helen.ellison@example.org	floor mat	t
12	Louis Chevalier	15 rue de la Gare	44000	Nantes	louis.chevalier@example.net	roof rack	t
13	Julia Schröder	Am Mühlbach 39	50823	Köln	julia.schroeder@example.org	cabin filter	f
14	George Johnson	97 Elm Grove	EH9 1QS	Edinburgh	george.johnson@example.net	tow bar	f
15	Helen Hargreaves	55 Victoria Road	M14 5RB	Manchester	helen.hargreaves@example.org	charging cable	t
16	Sylvie Lambert	53 chemin des Vignes	31400	Toulouse	sylvie.lambert@example.org	floor mat	t
17	Amelia Robinson	94 Chapel Hill	BS8 4UD	Bristol	amelia.robinson@example.net	roof rack	f
18	Benoît Bonnet	96 chemin des Vignes	31400	Toulouse	benoit.bonnet@example.com	wiper blade	t
19	Sylvie Bertrand	74 boulevard Pasteur	31400	Toulouse	sylvie.bertrand@example.net	wiper blade	f
20	Amelia Jones	109 The Crescent	LS6 2QT	Leeds	amelia.jones@example.net	tow bar	f
21	Thomas Marsden	54 Kings Road	L17 8XD	Liverpool	thomas.marsden@example.com	roof rack	t
22	Björn Köhler	Birkenallee 32	28203	Bremen	bjoern.koehler@example.org	floor mat	t
23	Laura Marsden	118 Meadow Drive	M14 5RB	Manchester	laura.marsden@example.net	wiper blade	t
24	Wolfgang Braun	Am Mühlbach 119	60318	Frankfurt am Main	wolfgang.braun@example.com	wiper blade	t
25	Claire Bertrand	79 place du Marché	44000	Nantes	claire.bertrand@example.org	charging cable	f
26	Peter Wright	14 Station Road	M14 5RB	Manchester	peter.wright@example.org	tow bar	t
27	Céline Lambert	55 rue des Écoles	31400	Toulouse	celine.lambert@example.org	tow bar	f
28	Isabelle Dupont	76 avenue des Tilleuls	69003	Lyon	isabelle.dupont@example.org	floor mat	t
29	Sabine Zimmermann	Birkenallee 44	80636	München	sabine.zimmermann@example.org	tow bar	f
30	Thomas Schmidt	Schillerstraße 84	80636	München	thomas.schmidt@example.com	cabin filter	t
31	Laura Hargreaves	100 Bridge Street	LS6 2QT	Leeds	laura.hargreaves@example.com	cabin filter	t
32	Lena Wolf	Ringstraße 120	80636	München	lena.wolf@example.com	tow bar	f
33	Sophie Holloway	83 Victoria Road	NR2 3LS	Norwich	sophie.holloway@example.net	tow bar	t
34	Hugo Bertrand	35 place du Marché	67000	Strasbourg	hugo.bertrand@example.net	tow bar	f
35	Mathieu Michel	118 avenue des Tilleuls	21000	Dijon	mathieu.michel@example.net	brake pad set	t
36	Lukas Neumann	Wiesenweg 114	10967	Berlin	lukas.neumann@example.com	roof rack	t
37	Pierre Moreau	60 boulevard Pasteur	44000	Nantes	pierre.moreau@example.com	cabin filter	f
38	Andreas Becker	Bahnhofstraße 130	80636	München	andreas.becker@example.net	wiper blade	t
39	Aurélie Simon	72 boulevard Pasteur	21000	Dijon	aurelie.simon@example.net	brake pad set	t
40	Manon Bertrand	131 place du Marché	44000	Nantes	manon.bertrand@example.org	tow bar	f
41	Isabelle Bonnet	96 rue Victor Hugo	35000	Rennes	isabelle.bonnet@example.net	brake pad set	t
42	Monika Müller	Bergstraße 2	28203	Bremen	monika.mueller@example.org	charging cable	t
43	Élodie Mercier	67 boulevard Pasteur	21000	Dijon	elodie.mercier@example.net	tow bar	t
44	Stefan Müller	Wiesenweg 54	80636	München	stefan.mueller@example.com	wiper blade	t
45	Sabine Hoffmann	Am Mühlbach 123	20253	Hamburg	sabine.hoffmann@example.com	roof rack	f
46	Lena Schäfer	Ringstraße 12	50823	Köln	lena.schaefer@example.net	charging cable	t
47	Heike Lehmann	Hauptstraße 133	20253	Hamburg	heike.lehmann@example.com	brake pad set	f
48	Petra Bauer	Ahornweg 54	04229	Leipzig	petra.bauer@example.org	brake pad set	f
49	Oliver Wilson	46 Victoria Road	LS6 2QT	Leeds	oliver.wilson@example.org	charging cable	f
50	Manon Roux	60 boulevard Pasteur	21000	Dijon	manon.roux@example.net	brake pad set	t
51	Céline Dupont	44 rue de la Gare	69003	Lyon	celine.dupont@example.net	roof rack	t
52	Benoît Fournier	54 boulevard Pasteur	69003	Lyon	benoit.fournier@example.org	floor mat	f
53	Anna Lange	Gartenstraße 97	50823	Köln	anna.lange@example.net	charging cable	f
54	Julia Fischer	Goethestraße 130	04229	Leipzig	julia.fischer@example.org	wiper blade	t
55	Manon Girard	83 boulevard Pasteur	67000	Strasbourg	manon.girard@example.net	roof rack	t
56	William Marsden	35 Park Avenue	M14 5RB	Manchester	william.marsden@example.com	cabin filter	t
57	Peter Jones	40 Park Avenue	BS8 4UD	Bristol	peter.jones@example.com	wiper blade	t
58	Hugo Simon	55 chemin des Vignes	69003	Lyon	hugo.simon@example.com	floor mat	t
59	Ursula Bauer	Ringstraße 102	60318	Frankfurt am Main	ursula.bauer@example.org	wiper blade	t
60	François Michel	26 place du Marché	31400	Toulouse	francois.michel@example.com	tow bar	f
61	Daniel Wood	136 Kings Road	M14 5RB	Manchester	daniel.wood@example.net	tow bar	t
62	Isabelle Durand	65 rue Victor Hugo	67000	Strasbourg	isabelle.durand@example.org	roof rack	t
63	Lukas Vogel	Bergstraße 32	04229	Leipzig	lukas.vogel@example.com	brake pad set	t
64	Matthew Evans	71 Larkspur Lane	LS6 2QT	Leeds	matthew.evans@example.org	wiper blade	t
65	Daniel Patel	42 Larkspur Lane	EH9 1QS	Edinburgh	daniel.patel@example.net	charging cable	f
66	James Evans	122 Victoria Road	YO31 7EA	York	james.evans@example.com	floor mat	t
67	Camille Mercier	88 rue du Moulin	31400	Toulouse	camille.mercier@example.net	cabin filter	t
68	Rachel Thompson	10 Bridge Street	BS8 4UD	Bristol	rachel.thompson@example.net	floor mat	t
69	Ursula Großmann	Hauptstraße 31	80636	München	ursula.grossmann@example.com	floor mat	t
70	Björn Krüger	Goethestraße 88	70193	Stuttgart	bjoern.krueger@example.com	roof rack	t
71	Pierre Leroy	75 place du Marché	67000	Strasbourg	pierre.leroy@example.org	cabin filter	f
72	Katharina Wolf	Am Mühlbach 122	70193	Stuttgart	katharina.wolf@example.com	wiper blade	f
73	Wolfgang Großmann	Wiesenweg 23	80636	München	wolfgang.grossmann@example.net	tow bar	f
74	Margaret Thompson	80 Station Road	B15 3HE	Birmingham	margaret.thompson@example.org	charging cable	t
75	Jürgen Köhler	Bergstraße 54	70193	Stuttgart	juergen.koehler@example.net	roof rack	t
76	Isabelle Girard	35 impasse du Lavoir	44000	Nantes	isabelle.girard@example.org	cabin filter	f
77	Florian Meyer	Wiesenweg 101	80636	München	florian.meyer@example.org	charging cable	f
78	Sebastian Koch	Kirchgasse 126	10967	Berlin	sebastian.koch@example.com	roof rack	f
79	Hugo Morel	120 rue Victor Hugo	67000	Strasbourg	hugo.morel@example.com	charging cable	t
80	Florian Schmidt	Lindenweg 32	80636	München	florian.schmidt@example.net	tow bar	f
81	Camille Fontaine	52 avenue des Tilleuls	35000	Rennes	camille.fontaine@example.com	brake pad set	f
82	Théo Bertrand	34 chemin des Vignes	21000	Dijon	theo.bertrand@example.com	floor mat	f
83	Daniel Wilson	9 Kings Road	M14 5RB	Manchester	daniel.wilson@example.net	charging cable	t
84	Oliver Patel	124 Kings Road	LS6 2QT	Leeds	oliver.patel@example.net	charging cable	t
85	Jonas Großmann	Hauptstraße 132	10967	Berlin	jonas.grossmann@example.net	charging cable	t
86	Sabine Richter	Ahornweg 14	20253	Hamburg	sabine.richter@example.net	wiper blade	f
87	Camille Bernard	126 boulevard Pasteur	67000	Strasbourg	camille.bernard@example.org	cabin filter	t
88	Jürgen Krüger	Gartenstraße 67	04229	Leipzig	juergen.krueger@example.com	roof rack	t
89	Nathalie Martin	119 chemin des Vignes	35000	Rennes	nathalie.martin@example.com	charging cable	f
90	Margaret Thompson	43 Highfield Road	L17 8XD	Liverpool	margaret.thompson@example.net	tow bar	f
\.


ALTER TABLE ONLY public.returns
    ADD CONSTRAINT returns_pkey PRIMARY KEY (return_id);


--
-- PostgreSQL database dump complete
--

