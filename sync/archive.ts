import { UpstreamError } from './failure.ts';
import type { SourceDefinition, Upstream, UpstreamAnswer } from './source.ts';

/** One recorded answer of a source: what its file is called, and the JSON in it. */
export interface ArchivedAnswer {
  name: string;
  body: unknown;
}

/**
 * A source that answers as it once did. An answer whose file is named for what is asked (`models.json`) is given for it,
 * the others are given as pages, in their order; none may be left over. Its fetch throws `UpstreamError`.
 */
export function archivedSource(source: SourceDefinition, answers: ArchivedAnswer[]): SourceDefinition {
  const baseUrl = source.baseUrl?.default ?? '';
  return {
    ...source,
    apiKey: null,
    async fetch(upstream) {
      const unread = [...answers];
      const archive: Upstream = {
        ...upstream,
        baseUrl,
        maxItems: null,
        getJson: (url) => Promise.resolve(answerTo(url, unread, source.name)),
      };
      const fetched = await source.fetch(archive);
      if (unread.length > 0) {
        const names = unread.map(({ name }) => name).join(', ');
        throw new UpstreamError(
          'shape',
          `${names}: no part of one answer of ${source.name}. Nothing was used.`,
        );
      }
      return fetched;
    },
  };
}

const isNamed = (name: string, file: string) => new RegExp(`(^|[./_-])${file}(\\.gz)?$`).test(name);

/** Takes the answer to a URL out of those that are left. */
function answerTo(url: string, unread: ArchivedAnswer[], source: string): UpstreamAnswer {
  const file = new URL(url).pathname.split('/').at(-1) ?? '';
  const named = unread.findIndex(({ name }) => file.includes('.') && isNamed(name, file));
  const index =
    named >= 0 ? named : unread.findIndex(({ name }) => !isNamed(name, 'models.json') || !file.includes('.'));
  const [answer] = index < 0 ? [] : unread.splice(index, 1);
  if (answer === undefined)
    throw new UpstreamError('shape', `No file holds the answer of ${source} to ${new URL(url).pathname}.`);
  // Hugging Face names the next page in a header, which no file keeps.
  const headers = new Headers(
    unread.length > 0 ? { link: `<${url}&page=${unread.length}>; rel="next"` } : {},
  );
  return { notModified: false, body: answer.body, headers };
}
