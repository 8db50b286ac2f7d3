--
-- PostgreSQL database dump
--

\restrict 33653f199ac99b17ee5e345d663c243c3ea0fb099ba4ce92f9706c2297e15704

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

--
-- Name: Odd ; Type: TABLE; name Odd ; Type: TABLE; name_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app."Odd
; Type: TABLE; name"
    ADD CONSTRAINT "Odd
; Type: TABLE; name_pkey" PRIMARY KEY (a);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: app; Owner: parts_owner
--

ALTER TABLE ONLY app.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: log log_pkey; Type: CONSTRAINT; Schema: other; Owner: postgres
--

ALTER TABLE ONLY other.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (id);


--
-- Name: parts_day; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX parts_day ON ONLY app.parts USING btree (day);


--
-- Name: parts_1_day_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX parts_1_day_idx ON app.parts_1 USING btree (day);


--
-- Name: users_key; Type: INDEX; Schema: app; Owner: parts_owner
--

CREATE UNIQUE INDEX users_key ON app.users USING btree (id, name);

ALTER TABLE ONLY app.users REPLICA IDENTITY USING INDEX users_key;


--
-- Name: users_name; Type: INDEX; Schema: app; Owner: parts_owner
--

CREATE INDEX users_name ON app.users USING btree (name);


--
-- Name: INDEX users_name; Type: COMMENT; Schema: app; Owner: parts_owner
--

COMMENT ON INDEX app.users_name IS 'by name';


--
-- Name: parts_1_day_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.parts_day ATTACH PARTITION app.parts_1_day_idx;


--
-- Name: by_key _RETURN; Type: RULE; Schema: app; Owner: postgres
--

CREATE OR REPLACE VIEW app.by_key AS
 SELECT users.id,
    users.name,
    count(*) AS count
   FROM app.users
  GROUP BY users.id;


--
-- Name: users audited; Type: TRIGGER; Schema: app; Owner: parts_owner
--

CREATE TRIGGER audited AFTER INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION other.audit();


--
-- Name: users touched; Type: TRIGGER; Schema: app; Owner: parts_owner
--

CREATE TRIGGER touched BEFORE INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch();


--
-- Name: orders orders_buyer_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.orders
    ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES app.users(id);


--
-- Name: log log_user_id_fkey; Type: FK CONSTRAINT; Schema: other; Owner: postgres
--

ALTER TABLE ONLY other.log
    ADD CONSTRAINT log_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users(id);


--
-- Name: users mine; Type: POLICY; Schema: app; Owner: parts_owner
--

CREATE POLICY mine ON app.users FOR SELECT TO parts_owner, parts_reader USING ((name = CURRENT_USER));


--
-- Name: users; Type: ROW SECURITY; Schema: app; Owner: parts_owner
--

ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;

--
-- Name: pub; Type: PUBLICATION; Schema: -; Owner: postgres
--

CREATE PUBLICATION pub WITH (publish = 'insert, update, delete, truncate');


ALTER PUBLICATION pub OWNER TO postgres;

--
-- Name: pub users; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION pub ADD TABLE ONLY app.users;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: parts_owner
--

ALTER DEFAULT PRIVILEGES FOR ROLE parts_owner IN SCHEMA app GRANT SELECT ON TABLES  TO parts_reader;


--
-- PostgreSQL database dump complete
--

\unrestrict 33653f199ac99b17ee5e345d663c243c3ea0fb099ba4ce92f9706c2297e15704

