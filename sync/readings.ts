import { parseName, plainText } from './identity/attributes.ts';
import { readingOf } from './identity/creators.ts';
import { describe } from './identity/describe.ts';
import type { Note } from './identity/attributes.ts';
import { namedRecord } from './identity/keys.ts';
import { RULES } from './identity/rulebook.ts';
import type { SourceRecord } from './record.ts';

/** One way to take a name that nobody is known to use: as an entry that a source might have. */
export interface Reading {
  record: SourceRecord;
  /** The source or provider that would have it; null: whoever. */
  namespace: string | null;
  /** What came off the name before the rules read it. */
  notes: Note[];
}

/** Where a name is said to be from. */
export type Origin =
  /** Nothing is said. */
  | { kind: 'anywhere' }
  | { kind: 'provider'; id: string }
  /** A source, and the kind of entry that it has. `prefixed`: its ids are `provider/model`. */
  | { kind: 'source'; id: string; type: SourceRecord['type']; prefixed: boolean };

/** The precision at the end of a name: whatever a provider puts before it is read as if it stood at the end. */
function takePrecision(id: string): { rest: string; notes: Note[] } {
  const { setAside } = parseName(plainText(id), readingOf(null, RULES));
  const texts = setAside.filter(({ rule }) => rule === 'precision').map(({ text }) => text);
  for (const text of texts) {
    const rest = id.replace(new RegExp(`[-_@ ]${text}$`, 'i'), '');
    if (rest !== id) {
      const more = takePrecision(rest);
      const note = { rule: 'precision', evidence: `${text} is no part of the name` };
      return { rest: more.rest, notes: [note, ...more.notes] };
    }
  }
  return { rest: id, notes: [] };
}

function asOffer(id: string, provider: string | null, namespace: string | null): Reading {
  const { rest, notes } = takePrecision(id);
  return { record: namedRecord(rest, provider), namespace, notes };
}

function asRepository(id: string, namespace: string | null): Reading {
  const named = namedRecord(id);
  const slash = id.indexOf('/');
  const naming = { ...named.naming, creator: id.slice(0, slash), model: id.slice(slash + 1) };
  return {
    record: { ...named, type: 'repository', naming: slash > 0 ? naming : named.naming },
    namespace,
    notes: [],
  };
}

/** Every way to take a name, given where it is from. `provider` is the one that stands before its first slash, if there is one. */
export function readingsOf(id: string, origin: Origin, provider: string | null): Reading[] {
  const prefixed =
    provider === null ? [] : [asOffer(id.slice(id.indexOf('/') + 1), provider.toLowerCase(), provider)];
  if (origin.kind === 'provider') return [asOffer(id, origin.id, origin.id)];
  if (origin.kind === 'source') {
    if (origin.type === 'repository') return [asRepository(id, origin.id)];
    if (origin.type === 'measurement')
      return [{ record: { ...namedRecord(id), type: 'measurement' }, namespace: origin.id, notes: [] }];
    return [asOffer(id, null, origin.id), ...(origin.prefixed ? prefixed : [])];
  }
  const offer = asOffer(id, null, null);
  if (id.split('/').length !== 2) return [offer, ...prefixed];
  const repository = asRepository(id, null);
  // Where the repository of that name holds base weights, nobody can tell which of the two is meant.
  const isBase = describe(repository.record).attributes.tuning === 'base';
  const differs = isBase && describe(offer.record).attributes.tuning !== 'base';
  return [...(differs ? [] : [offer]), ...prefixed, repository];
}
