SELECT pg_catalog.setval('app.orders_id_seq', 1, false);
SELECT pg_catalog.setval('app.users_id_seq', 1, true);
