import { ADMIN_SECRET } from '../../support/app.ts';

/** What says that a body is JSON. */
export const JSON_TYPE = 'Content-Type: application/json\r\n';

/** What opens the admin door. */
export const SECRET = `x-admin: ${ADMIN_SECRET}\r\n`;

/** The lines before the body of a request. */
export const head = (line: string, headers: string): string =>
  `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

/** Requests that are answered only when their body has been read. */
export const READERS: [line: string, headers: string][] = [
  ['POST /v1/resolve', JSON_TYPE],
  ['POST /v1/admin/sync', JSON_TYPE + SECRET],
  ['POST /v1/admin/incidents', JSON_TYPE + SECRET],
  ['POST /v1/admin/incidents/inc_1/updates', JSON_TYPE + SECRET],
  ['POST /trpc/resolve.many', JSON_TYPE],
];
