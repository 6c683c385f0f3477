import { parseName, plainText } from './attributes.ts';
import { VARIANT_WORDS } from './brands.ts';
import { contradiction, type Cluster } from './cluster.ts';
import { knownCreator, readingOf, stripVendor } from './creators.ts';
import type { Joiner } from './joiner.ts';
import { byText } from '../order.ts';
import { RULES } from './rulebook.ts';

/** A repository that a link names, as if Hugging Face had listed it: its name tells what it holds. */
export function repositoryName(id: string, creator: string | null) {
  const slash = id.indexOf('/');
  const owner = knownCreator(id.slice(0, slash))?.id ?? id.slice(0, slash);
  const text = stripVendor(RULES.withoutBasis(plainText(id.slice(slash + 1).replace(/^c4ai-/, ''))), owner);
  const { attributes } = parseName(text, readingOf(owner, RULES));
  RULES.settle(owner, attributes, true, []);
  return { owner, attributes, isSameMaker: owner === creator };
}

/** Follows links to repositories of weights, unless names speak against them. */
export function joinLinked(joiner: Joiner): void {
  const linked = new Map<string, Set<Cluster>>();
  const repositories = new Map(
    joiner.clusters.flatMap((cluster) => [...cluster.repositories].map((id) => [id, cluster] as const)),
  );
  for (const cluster of joiner.clusters) {
    if (cluster.rolling !== null || cluster.creator === null) continue;
    for (const id of new Set(
      cluster.members.flatMap(({ links, record }) => (record.type === 'repository' ? [] : links)),
    )) {
      const repository = repositoryName(id, cluster.creator);
      if (!repository.isSameMaker || contradiction(cluster.attributes, repository.attributes) !== null)
        continue;
      if (differInVariant(cluster.attributes.words, repository.attributes.words)) continue;
      const list = linked.get(id) ?? new Set();
      list.add(cluster);
      linked.set(id, list);
    }
  }
  for (const [id, linkers] of [...linked].toSorted(([a], [b]) => byText(a, b))) {
    const { attributes } = repositoryName(id, null);
    const parts = new Set([...linkers].map((cluster) => joiner.current(cluster)));
    const dated = [...parts].filter((part) => part.attributes.date !== null);
    // A repository without a date is the release that has none, where both link to it.
    if (attributes.date === null && dated.length < parts.size) for (const part of dated) parts.delete(part);
    const own = repositories.get(id);
    if (own !== undefined) parts.add(joiner.current(own));
    if (!agree([...parts])) continue;
    const named: Cluster = {
      creator: [...parts][0]?.creator ?? null,
      rolling: null,
      attributes,
      superseded: false,
      members: [],
      repositories: new Set([id]),
    };
    if (own === undefined) joiner.clusters.push(named);
    const joined = own === undefined ? [...parts, named] : [...parts];
    joiner.join(joined, () => null);
    for (const member of joined.flatMap(({ members }) => members)) {
      const isHeld = member.record.type === 'repository' && member.record.id.toLowerCase() === id;
      if (isHeld || member.links.includes(id))
        joiner.explain(member, {
          rule: 'weights-link',
          evidence: `its weights are https://huggingface.co/${id}`,
        });
    }
  }
}

const agree = (parts: Cluster[]) =>
  parts.every((a, at) =>
    parts.slice(at + 1).every((b) => contradiction(a.attributes, b.attributes) === null),
  );

/** Whether names differ in a word by which makers tell variants apart. */
function differInVariant(a: string[], b: string[]): boolean {
  const differing = [...a.filter((word) => !b.includes(word)), ...b.filter((word) => !a.includes(word))];
  return differing.some((word) => VARIANT_WORDS.has(word));
}
