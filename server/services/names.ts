import { knownCreator } from '../../sync/identity.ts';

/** The names under which a model may be stored: as it was asked for, and with the creator spelled our way. */
export function namesOf(creator: string, slug: string): string[] {
  const name = slug.toLowerCase();
  const spelled = creator.toLowerCase();
  return [...new Set([`${spelled}/${name}`, `${knownCreator(creator)?.id ?? spelled}/${name}`])];
}

/** The same of a whole id, `creator/slug`. */
export function namesOfId(id: string): string[] {
  const [creator = '', ...slug] = id.split('/');
  return namesOf(creator, slug.join('/'));
}
