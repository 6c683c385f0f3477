import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A key and its certificate, as PEM. */
export interface Certificate {
  key: string;
  cert: string;
  /** What it takes to sign another with it. */
  issuer: { name: string; privateKey: KeyObject };
}

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const objectId = (...bytes: number[]) => der(0x06, Buffer.from(bytes));
const ED25519 = sequence(objectId(0x2b, 0x65, 0x70));
const COMMON_NAME = objectId(0x55, 0x04, 0x03);
const BASIC_CONSTRAINTS = objectId(0x55, 0x1d, 0x13);
const ALTERNATIVE_NAMES = objectId(0x55, 0x1d, 0x11);
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

const nameOf = (text: string) => sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));
const time = (date: string) => der(0x17, Buffer.from(`${date.replace(/\D/g, '').slice(2)}000000Z`));

/** Makes a certificate for loopback, in DER built by hand (RFC 5280); without an issuer it signs itself. */
export function makeCertificate({
  name = '127.0.0.1',
  address = [127, 0, 0, 1],
  from = '2020-01-01',
  until = '2049-12-31',
  isAuthority = false,
  issuer,
}: {
  name?: string;
  address?: number[];
  from?: string;
  until?: string;
  isAuthority?: boolean;
  issuer?: Certificate['issuer'];
} = {}): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const own = { name, privateKey };
  const by = issuer ?? own;
  const extensions = sequence(
    ...(isAuthority ? [sequence(BASIC_CONSTRAINTS, TRUE, der(0x04, sequence(TRUE)))] : []),
    sequence(ALTERNATIVE_NAMES, der(0x04, sequence(der(0x87, Buffer.from(address))))),
  );
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1 + Math.floor(Math.random() * 100)])),
    ED25519,
    nameOf(by.name),
    sequence(time(from), time(until)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.from([0]), sign(null, body, by.privateKey));
  const lines = sequence(body, ED25519, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    issuer: own,
  };
}
