import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Severity } from '../../../support/alert-rules.ts';
import type { Finish } from '../../../support/process.ts';

/** A message that reached somebody. */
export interface Message {
  to: Severity;
  status: 'firing' | 'resolved';
  alert: string;
}

/** PagerDuty, Slack and the ticket system on loopback. */
export interface Receiver {
  url: string;
  messages: Message[];
}

interface Event {
  event_action: 'trigger' | 'resolve';
  payload: { class: string };
}
interface SlackMessage {
  channel: string;
  attachments: { title: string }[];
}
interface Webhook {
  alerts: { status: Message['status']; labels: { alertname: string } }[];
}

/** Reads what each of the three is sent, in the format of each. */
const READERS: Record<Severity, (body: unknown) => Omit<Message, 'to'>[]> = {
  page(body) {
    const { event_action: action, payload } = body as Event;
    return [{ status: action === 'trigger' ? 'firing' : 'resolved', alert: payload.class }];
  },
  notify(body) {
    const { channel, attachments } = body as SlackMessage;
    if (channel !== '#incidents') throw new Error(`${channel} is not where incidents are declared`);
    return attachments.map(({ title }) => {
      const [, status = '', alert = ''] = /^(Firing|Resolved): (\w+), /.exec(title) ?? [];
      return { status: status === 'Resolved' ? 'resolved' : 'firing', alert };
    });
  },
  ticket: (body) =>
    (body as Webhook).alerts.map(({ status, labels }) => ({ status, alert: labels.alertname })),
};

/** Starts to receive what Alertmanager sends. */
export async function startReceiver(finish: Finish): Promise<Receiver> {
  const messages: Message[] = [];
  const server = createServer((req, res) => {
    const to = (req.url ?? '').slice(1) as Severity;
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => (body += text));
    req.on('end', () => {
      try {
        messages.push(...READERS[to](JSON.parse(body)).map((message) => ({ to, ...message })));
        res.writeHead(to === 'page' ? 202 : 200).end('ok');
      } catch (error) {
        res.writeHead(400).end(String(error));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  finish(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, messages };
}
