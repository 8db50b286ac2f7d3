COPY public.users (id, name) FROM stdin;
1	ada
2	grace
\.
