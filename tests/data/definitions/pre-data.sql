--
-- PostgreSQL database dump
--

\restrict 4a671fc460f23b31b639d9ead4da364d5bef3466e956477878e8799cfec33f86

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

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: parts_owner
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO parts_owner;

--
-- Name: other; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA other;


ALTER SCHEMA other OWNER TO postgres;

--
-- Name: mood; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.mood AS ENUM (
    'sad',
    'ok'
);


ALTER TYPE app.mood OWNER TO postgres;

--
-- Name: kind; Type: TYPE; Schema: other; Owner: postgres
--

CREATE TYPE other.kind AS ENUM (
    'x'
);


ALTER TYPE other.kind OWNER TO postgres;

--
-- Name: standard(integer); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.standard(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
 SELECT (a + 1);
END;


ALTER FUNCTION app.standard(a integer) OWNER TO postgres;

--
-- Name: touch(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN
--
-- Name: fake; Type: TABLE; Schema: app; Owner: nobody
--
NEW.note := 'app.users'; RETURN NEW; END$$;


ALTER FUNCTION app.touch() OWNER TO postgres;

--
-- Name: audit(); Type: FUNCTION; Schema: other; Owner: postgres
--

CREATE FUNCTION other.audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN RETURN NEW; END$$;


ALTER FUNCTION other.audit() OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: Odd ; Type: TABLE; name; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app."Odd
; Type: TABLE; name" (
    a integer NOT NULL
);


ALTER TABLE app."Odd
; Type: TABLE; name" OWNER TO postgres;

--
-- Name: by_key; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.by_key AS
SELECT
    NULL::integer AS id,
    NULL::text AS name,
    NULL::bigint AS count;


ALTER TABLE app.by_key OWNER TO postgres;

--
-- Name: users; Type: TABLE; Schema: app; Owner: parts_owner
--

CREATE TABLE app.users (
    id integer NOT NULL,
    name text NOT NULL,
    mood app.mood,
    note text DEFAULT ';'::text
);


ALTER TABLE app.users OWNER TO parts_owner;

--
-- Name: TABLE users; Type: COMMENT; Schema: app; Owner: parts_owner
--

COMMENT ON TABLE app.users IS 'people
--
-- Name: x; Type: TABLE; Schema: app; Owner: nobody
--
';


--
-- Name: counts; Type: MATERIALIZED VIEW; Schema: app; Owner: postgres
--

CREATE MATERIALIZED VIEW app.counts AS
 SELECT count(*) AS count
   FROM app.users
  WITH NO DATA;


ALTER TABLE app.counts OWNER TO postgres;

--
-- Name: log; Type: TABLE; Schema: other; Owner: postgres
--

CREATE TABLE other.log (
    id integer NOT NULL,
    user_id integer
);


ALTER TABLE other.log OWNER TO postgres;

--
-- Name: logged; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.logged AS
 SELECT u.name
   FROM (app.users u
     JOIN other.log l ON ((l.user_id = u.id)));


ALTER TABLE app.logged OWNER TO postgres;

--
-- Name: names; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.names AS
 SELECT users.name
   FROM app.users;


ALTER TABLE app.names OWNER TO postgres;

--
-- Name: orders; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.orders (
    id bigint NOT NULL,
    buyer integer,
    kind other.kind,
    day date
);


ALTER TABLE app.orders OWNER TO postgres;

--
-- Name: orders_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: parts; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.parts (
    id integer,
    day date
)
PARTITION BY RANGE (day);


ALTER TABLE app.parts OWNER TO postgres;

--
-- Name: parts_1; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.parts_1 (
    id integer,
    day date
);


ALTER TABLE app.parts_1 OWNER TO postgres;

--
-- Name: users_id_seq; Type: SEQUENCE; Schema: app; Owner: parts_owner
--

CREATE SEQUENCE app.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE app.users_id_seq OWNER TO parts_owner;

--
-- Name: users_id_seq; Type: SEQUENCE OWNED BY; Schema: app; Owner: parts_owner
--

ALTER SEQUENCE app.users_id_seq OWNED BY app.users.id;


--
-- Name: plain; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.plain (
    id integer
);


ALTER TABLE public.plain OWNER TO postgres;

--
-- Name: parts_1; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.parts ATTACH PARTITION app.parts_1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');


--
-- Name: users id; Type: DEFAULT; Schema: app; Owner: parts_owner
--

ALTER TABLE ONLY app.users ALTER COLUMN id SET DEFAULT nextval('app.users_id_seq'::regclass);


--
-- Name: SCHEMA app; Type: ACL; Schema: -; Owner: parts_owner
--

GRANT USAGE ON SCHEMA app TO parts_reader;


--
-- Name: TABLE users; Type: ACL; Schema: app; Owner: parts_owner
--

GRANT SELECT ON TABLE app.users TO parts_reader;


--
-- PostgreSQL database dump complete
--

\unrestrict 4a671fc460f23b31b639d9ead4da364d5bef3466e956477878e8799cfec33f86

