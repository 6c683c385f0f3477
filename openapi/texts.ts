/** The front page of the published document, in Markdown. */
export const DESCRIPTION = `One catalogue of AI models that can be trusted: which models exist, who makes them, who serves them,
what they cost, how good they are, and who said so. It is merged from models.dev, OpenRouter, Hugging Face and Artificial Analysis.

## Ids

A model id is \`creator/slug\`, in lower case, and keeps resolving for ever. A known alias answers with the model that it names.
\`GET /v1/resolve\` says which model any other id or name means, and why; where it means several it is 409 with \`candidates\`, where it
means none 404 with \`hints\`, which are near but no matches.

## Money and unknowns

Prices are USD per 1,000,000 tokens, or USD for each request, image or search where the name says so. Unknown is \`null\`, never 0;
\`pricing.status\` says how far the prices can be relied on.

## Who said so

\`GET /v1/models/{creator}/{slug}?include=provenance\` says of every field which sources state it, in which raw form, and which was chosen.
\`GET /v1/conflicts\` lists where sources disagree.

## Following changes

\`GET /v1/changes\` lists what changed. To stay up to date, remember \`meta.catalogVersion\` and ask for \`since\` that version now and then;
or read the Atom feed at \`/v1/changes.atom\`; or keep \`/v1/changes/stream\` open, where every change is a server-sent event:

\`\`\`
const events = new EventSource('/v1/changes/stream?kind=price');
events.addEventListener('price', ({ data }) => console.log(JSON.parse(data)));
\`\`\`

Events are named after the kind of the change. A connection that breaks off goes on where it was, by \`Last-Event-ID\`. Browsers do not
try again after 429 or 503: then it is up to the page, after \`Retry-After\`.

## Ends

\`lifecycle\` says of every model and offer where it stands, by whose word, and what replaces it; \`GET /v1/lifecycle\` lists what ends. The
end of one provider's offer is not that of the model. Answers about one model that is ending have the headers \`Deprecation\` (RFC 9745),
\`Sunset\` (RFC 8594) and \`Link\` with \`rel="successor-version"\`, as far as they are known.

## Lists

Lists answer \`{ data, meta, timestamp }\` and take \`limit\` and \`offset\`. Where \`meta.nextCursor\` is not null, pass it as \`cursor\` to
get the next page. Values in a query are spelled strictly: integers in digits, booleans as \`true\` or \`false\`, no unknown names.

## Errors

Every error is an RFC 9457 problem (\`application/problem+json\`). \`code\` is for programs, \`detail\` for people, \`errors\` names the
parameters that are at fault, and \`requestId\` is what to quote when you report it.

## Limits

The \`RateLimit\` header says how many requests are left in this minute. Past the limit the answer is 429, and \`Retry-After\` says how
many seconds to wait.

## Other ways in

TypeScript programs can use the typed tRPC router at \`/trpc\`. This document is at \`/openapi.json\` and \`/openapi.yaml\`.
`;

/** The groups of operations, in the order in which they are shown. */
export const TAGS = [
  { name: 'Models', description: 'Every model with its prices, limits, benchmarks, offers and sources.' },
  { name: 'Changes', description: 'What changed, when, and who said so.' },
  { name: 'Lifecycle', description: 'What is deprecated, what ends when, and what replaces it.' },
  { name: 'Conflicts', description: 'Where sources disagree about a model or a price.' },
  { name: 'Providers', description: 'Who serves models.' },
  { name: 'Sources', description: 'The upstream catalogues, and how fresh what is known of each is.' },
  { name: 'System', description: 'Health of the service, its incidents, and the catalogue at a glance.' },
  {
    name: 'Admin',
    description: 'Starts syncs, shows their history, tells of incidents. Needs the admin secret.',
  },
];
