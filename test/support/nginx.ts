import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import type { Finish } from './process.ts';

/**
 * A plain reverse proxy that shares connections between clients and passes bodies on as they come: what one request could
 * do to the next, it could do here.
 */
const configOf = (folder: string, port: number, behind: number) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream service {
    server 127.0.0.1:${behind};
    keepalive 1;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`;

/** Starts nginx on a free port of loopback, before a service on the port given. Answers with its port. */
export async function startNginx(behind: number, finish: Finish): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-nginx-'));
  const port = await freePort();
  const path = join(folder, 'nginx.conf');
  writeFileSync(path, configOf(folder, port, behind));
  const child = spawn('nginx', ['-p', folder, '-c', path], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (said += more));
  const closed = once(child, 'close');
  finish(async () => {
    child.kill('SIGTERM');
    await closed;
    rmSync(folder, { recursive: true, force: true });
  });
  while ((await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => null))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`nginx ended:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return port;
}
