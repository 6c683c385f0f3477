import { FEED_LIMIT } from '../../contracts/change-feeds.ts';
import type { Change } from '../../contracts/changes.ts';
import { changeText, changeTitle } from './change-text.ts';
import type { ChangeFilters } from './changes.ts';

/** Ids stay, whatever address the feed is read from: RFC 4151. */
const TAG = 'tag:effectmodels.com,2026';

// All but tab, line feed, carriage return and what XML 1.0 calls characters.
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\r': '&#13;',
};

const escape = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(FORBIDDEN, '')
    .replaceAll(/[&<>"'\r]/g, (character) => ESCAPES[character] ?? '');

/** An element with text in it, or none. */
function element(name: string, attributes: Record<string, string>, text?: string): string {
  const start = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escape(value)}"`)].join(
    ' ',
  );
  return text === undefined ? `<${start}/>` : `<${start}>${escape(text)}</${name}>`;
}

/** Path of a model, seen from the feed. */
function modelPath(modelId: string): string {
  const [creator = '', ...slug] = modelId.toWellFormed().split('/');
  return `models/${encodeURIComponent(creator)}/${encodeURIComponent(slug.join('/'))}`;
}

function entryOf(change: Change): string[] {
  return [
    '  <entry>',
    `    ${element('id', {}, `${TAG}:change:${change.id}`)}`,
    `    ${element('title', {}, changeTitle(change))}`,
    `    ${element('updated', {}, change.observedAt)}`,
    `    ${element('category', { term: change.kind })}`,
    `    ${element('link', { rel: 'alternate', type: 'application/json', href: modelPath(change.modelId) })}`,
    `    ${element('content', { type: 'text' }, changeText(change))}`,
    '  </entry>',
  ];
}

/** The filters that were given, always in the same order and spelling. */
function given({ kind, model, provider, since, until }: ChangeFilters): [name: string, value: string][] {
  const filters = { kind: kind?.toSorted().join(','), model, provider, since, until };
  return Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

const queryOf = (pairs: [name: string, value: string][]): string =>
  pairs.length === 0
    ? ''
    : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;

/** Changes as an Atom feed. Links are relative, since what a request says about its host is not to be believed. */
export function atomOf(
  changes: Change[],
  { filters, limit, updated }: { filters: ChangeFilters; limit: number; updated: string },
): string {
  const pairs = given(filters);
  const size: typeof pairs = limit === FEED_LIMIT ? [] : [['limit', String(limit)]];
  const about = pairs.map((pair) => pair.join(' ')).join(', ');
  const self = `changes.atom${queryOf([...pairs, ...size])}`;
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    `  ${element('id', {}, `${TAG}:changes${queryOf(pairs)}`)}`,
    `  ${element('title', {}, `Effect Models: changes${about && ` (${about})`}`)}`,
    `  ${element('updated', {}, updated)}`,
    '  <author><name>Effect Models</name></author>',
    `  ${element('link', { rel: 'self', type: 'application/atom+xml', href: self })}`,
    ...changes.flatMap(entryOf),
    '</feed>',
    '',
  ].join('\n');
}
