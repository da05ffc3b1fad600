import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface Certificate {
  /** The file of the authority, which a client has to know. */
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** A certificate for 127.0.0.1 by an authority of its own, in files of `directory`. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const file = (name: string) => path.join(directory, name);
  const openssl = async (...args: string[]) => execute('openssl', args);
  const subject = (name: string) => ['-subj', `/CN=${name}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...curve,
    '-days',
    '2',
    ...subject('An authority'),
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
  );
  await openssl('req', ...curve, ...subject('A server'), '-keyout', file('server.key'), '-out', file('server.csr'));
  await writeFile(file('names'), 'subjectAltName = IP:127.0.0.1');
  const signed = [
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    file('names'),
  ];
  await openssl('x509', '-req', '-in', file('server.csr'), ...signed, '-out', file('server.pem'));
  return { authority: file('ca.pem'), certificate: file('server.pem'), key: file('server.key') };
}
