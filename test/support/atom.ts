import { SaxesParser } from 'saxes';
import { expect } from 'vitest';

/** An element of a parsed document. */
export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const ATOM = 'http://www.w3.org/2005/Atom';

/** Parses a document. Throws where it is not well-formed XML 1.0, or an element is not of Atom. */
function parse(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', ({ local, uri, attributes }) => {
    if (uri !== ATOM) throw new Error(`${local} is of ${uri}`);
    const values = Object.entries(attributes).map(([name, { value }]) => [name, value]);
    const element = {
      name: local,
      attributes: Object.fromEntries(values),
      children: [],
      text: '',
    } as Element;
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => void open.pop());
  parser.on('text', (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(xml).close();
  return root.children[0] ?? root;
}

/** The children with this name. */
export const all = (element: Element, name: string): Element[] =>
  element.children.filter((child) => child.name === name);

/** The one child with this name. Throws where there are none or several. */
export function one(element: Element, name: string): Element {
  const [first, ...more] = all(element, name);
  if (first === undefined || more.length > 0) throw new Error(`${element.name} has not one ${name}`);
  return first;
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** A feed and its entries. Throws unless they are what RFC 4287 asks for. */
export function feedOf(xml: string): { feed: Element; entries: Element[] } {
  const feed = parse(xml);
  expect(feed.name).toBe('feed');
  expect(one(one(feed, 'author'), 'name').text).toBe('Effect Models');
  const entries = all(feed, 'entry');
  for (const element of [feed, ...entries]) {
    expect(one(element, 'id').text).toMatch(/^tag:effectmodels\.com,2026:change/);
    expect(new URL(one(element, 'id').text).protocol).toBe('tag:');
    expect(one(element, 'title').text).not.toBe('');
    expect(one(element, 'updated').text).toMatch(DATE_TIME);
  }
  expect(one(feed, 'link').attributes).toMatchObject({ rel: 'self', type: 'application/atom+xml' });
  for (const entry of entries) {
    expect(one(entry, 'link').attributes).toMatchObject({ rel: 'alternate', type: 'application/json' });
    expect(one(entry, 'content').attributes).toEqual({ type: 'text' });
  }
  const ids = entries.map((entry) => one(entry, 'id').text);
  expect(new Set(ids).size).toBe(ids.length);
  return { feed, entries };
}
