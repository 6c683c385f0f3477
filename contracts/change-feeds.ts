import { z } from 'zod';
import { changeFilters, changeRange } from './changes.ts';
import { MAX_LIMIT } from './common.ts';
import { EVENT_STREAM, rawOperation } from './raw.ts';

/** How many entries a feed has unless it is asked for more or fewer. */
export const FEED_LIMIT = 50;

const FEED = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>tag:effectmodels.com,2026:changes</id>
  <title>Effect Models: changes</title>
  <updated>2026-03-02T10:00:00.000Z</updated>
  <author><name>Effect Models</name></author>
  <link rel="self" type="application/atom+xml" href="changes.atom"/>
  <entry>
    <id>tag:effectmodels.com,2026:change:1204</id>
    <title>openai/gpt-4o at azure: input price 2.5 -> 2 USD per 1M tokens</title>
    <updated>2026-03-02T09:58:11.000Z</updated>
    <category term="price"/>
    <link rel="alternate" type="application/json" href="models/openai/gpt-4o"/>
    <content type="text">Was: 2.5
Is: 2
Source: models.dev</content>
  </entry>
</feed>
`;

/** `GET /v1/changes.atom`: what changed, for feed readers. */
export const changesAtom = rawOperation({
  path: '/v1/changes.atom',
  summary: 'Follow changes by Atom feed',
  description:
    'The newest changes as an Atom feed (RFC 4287), an entry each. The ids of entries stay, `updated` is when a change was observed. ' +
    'Feed readers that send the ETag back get 304 until the next catalogue version.',
  tags: ['Changes'],
  cache: 'list',
  mediaType: 'application/atom+xml',
  example: FEED,
  input: z.strictObject({
    limit: z
      .number()
      .int()
      .min(1)
      .max(MAX_LIMIT)
      .default(FEED_LIMIT)
      .describe('Entries in the feed')
      .meta({ example: FEED_LIMIT }),
    ...changeRange,
    ...changeFilters,
  }),
});

/** `GET /v1/changes/stream`: what changes, as it does. */
export const streamChanges = rawOperation({
  path: '/v1/changes/stream',
  summary: 'Follow changes by server-sent events',
  description:
    'Every change as an event while the connection is open: `id` is its id, `event` its kind, `data` the `Change` as JSON. ' +
    'A stream starts with what comes next; with `Last-Event-ID`, which browsers send by themselves when they connect again, ' +
    'with what came after that change; where some of that is forgotten, with an event `gap` first: load what is published anew. A comment every 15 seconds shows that the connection is alive. ' +
    'Ten streams an address; a reader that does not read, and every reader at a shutdown, is let go and goes on with `Last-Event-ID`.',
  tags: ['Changes'],
  mediaType: EVENT_STREAM,
  example:
    'id: 1204\nevent: price\n' +
    'data: {"id":1204,"catalogVersion":87,"observedAt":"2026-03-02T09:58:11.000Z","kind":"price","modelId":"openai/gpt-4o",' +
    '"offer":{"provider":"azure","providerModelId":"gpt-4o"},"field":"pricing.input","oldValue":2.5,"newValue":2,"source":"models.dev"}\n\n',
  headers: { lastEventId: 'Last-Event-ID' },
  input: z.strictObject({
    lastEventId: z
      .string()
      .max(16)
      .regex(/^(-?\d{1,15})?$/, 'Must be the id of a change, in digits')
      .optional()
      .describe('Go on after the change with this id; the header `Last-Event-ID` goes before')
      .meta({ example: '1204' }),
    ...changeFilters,
  }),
});
