-- The roles of the service on one database. May be run again at any time: it creates what is missing and grants what is not granted.
--
--   em_migrate   owns the schema and changes it: `npm run migrate`, `restore`, `drill`, `maintain`
--   em_app       reads and writes rows, and changes nothing else: the service, `backup`. To the record of admin calls it only adds
--   em_readonly  reads: engineers, `db-health`
--
-- Run it with psql (14 or later) on the database of the service, as its administrator:
--
--   psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f ops/sql/roles.sql
--
-- Other names:  -v migrate=... -v app=... -v readonly=...
-- Passwords:    from EM_MIGRATE_PASSWORD, EM_APP_PASSWORD and EM_READONLY_PASSWORD, where they are set; or later, by \password em_app

\set QUIET on
\set ON_ERROR_STOP on
\if :{?migrate}
\else
  \set migrate em_migrate
\endif
\if :{?app}
\else
  \set app em_app
\endif
\if :{?readonly}
\else
  \set readonly em_readonly
\endif
\getenv migrate_password EM_MIGRATE_PASSWORD
\getenv app_password EM_APP_PASSWORD
\getenv readonly_password EM_READONLY_PASSWORD

begin;
set local client_min_messages = warning;

-- The roles themselves: every server has one set of them, for all its databases.
select format('create role %I login', name)
from unnest(array[:'migrate', :'app', :'readonly']) as name
where not exists (select from pg_roles where rolname = name)
\gexec
-- Drills restore into a database of their own.
alter role :"migrate" createdb;

set local password_encryption = 'scram-sha-256';
\if :{?migrate_password}
  alter role :"migrate" password :'migrate_password';
\endif
\if :{?app_password}
  alter role :"app" password :'app_password';
\endif
\if :{?readonly_password}
  alter role :"readonly" password :'readonly_password';
\endif

-- Who is no superuser has to be a member of a role to hand objects over to it.
select format('grant %I to current_user', :'migrate')
where not pg_has_role(current_user, :'migrate', 'member')
\gexec

-- The database: nothing for those who are not named here.
select format('revoke all on database %I from public', current_database())
\gexec
select format('grant connect on database %I to %I, %I, %I', current_database(), :'migrate', :'app', :'readonly')
\gexec
-- `restore --replace` puts tables aside into a schema of its own.
select format('grant create on database %I to %I', current_database(), :'migrate')
\gexec

-- The schema, and every table in it that is no extension's.
revoke all on schema public from public;
alter schema public owner to :"migrate";
grant usage on schema public to :"app", :"readonly";
select format('alter table public.%I owner to %I', relname, :'migrate')
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and pg_get_userbyid(relowner) <> :'migrate'
  and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
\gexec

-- What is there now, and what migrations will make.
grant select, insert, update, delete on all tables in schema public to :"app";
grant usage, select on all sequences in schema public to :"app";
grant select on all tables in schema public to :"readonly";
grant select on all sequences in schema public to :"readonly";
alter default privileges for role :"migrate" in schema public grant select, insert, update, delete on tables to :"app";
alter default privileges for role :"migrate" in schema public grant usage, select on sequences to :"app";
alter default privileges for role :"migrate" in schema public grant select on tables to :"readonly";
alter default privileges for role :"migrate" in schema public grant select on sequences to :"readonly";

-- The record of admin calls is added to and never changed. Where its table is not there yet, `npm run migrate` sees to it.
select format('revoke update, delete, truncate on admin_audit from %I', :'app')
where to_regclass('public.admin_audit') is not null
\gexec

-- Figures of the server: connections, running queries, replicas, sizes.
grant pg_read_all_stats to :"app", :"readonly";
grant pg_monitor to :"migrate";

commit;

select rolname as role,
  case rolname
    when :'migrate' then 'owns the schema and changes it'
    when :'app' then 'reads and writes rows'
    else 'reads'
  end as may
from pg_roles where rolname in (:'migrate', :'app', :'readonly')
order by array_position(array[:'migrate', :'app', :'readonly'], rolname::text);
