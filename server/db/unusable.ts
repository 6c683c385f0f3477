/** The SQLite file can not be used as it is, and does not come right by itself. */
export class FileUnusable extends Error {
  override name = 'FileUnusable';
  readonly code: string;
  constructor(message: string, code: string, options: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const RESTORE = 'restore the newest backup (`npm run ops -- restore`)';
const ALLOW =
  'let the user that runs the service write the file and its folder, in which SQLite keeps files beside it, or set DATABASE_URL to another.';

/** What may be wrong with a file, and what to do then. */
const FAULTS: [code: RegExp, says: string][] = [
  [
    /^SQLITE_NOTADB$/,
    `is not an SQLite database: set DATABASE_URL to the one that was meant, or, where it has been overwritten, ${RESTORE}.`,
  ],
  [/^SQLITE_CORRUPT/, `is damaged: stop every process that uses it, then ${RESTORE}.`],
  [/^(SQLITE_READONLY|EROFS)/, `can not be written: ${ALLOW}`],
  [/^(SQLITE_CANTOPEN|EACCES|EPERM|ENOTDIR|EEXIST)/, `can not be opened: ${ALLOW}`],
];

/** An error of an SQLite file as whoever runs the service understands it; any other as it is. */
export function explainFile(path: string, error: unknown): unknown {
  if (error instanceof FileUnusable || !(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  const [, says] = FAULTS.find(([pattern]) => pattern.test(code)) ?? [];
  return says === undefined
    ? error
    : new FileUnusable(`The database file ${path} ${says} (${code})`, code, { cause: error });
}
