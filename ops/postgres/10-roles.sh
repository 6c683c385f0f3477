#!/usr/bin/env bash
# Run once, when Postgres makes its database: the roles of ops/sql/roles.sql, with the passwords of ops/secrets/database.
set -euo pipefail

EM_MIGRATE_PASSWORD=$(cat /run/database/migrate/password)
EM_APP_PASSWORD=$(cat /run/database/app/password)
EM_READONLY_PASSWORD=$(cat /run/database/readonly/password)
export EM_MIGRATE_PASSWORD EM_APP_PASSWORD EM_READONLY_PASSWORD

psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --file /sql/roles.sql
