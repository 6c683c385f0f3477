import {
  initTRPC,
  type TRPCBuiltRouter,
  type TRPCMutationProcedure,
  type TRPCQueryProcedure,
} from '@trpc/server';
import type { z } from 'zod';
import { ERROR_STATUS, type ErrorCode, type Problem } from './errors.ts';

/** What every operation receives beside its input. The server makes one per request. */
export interface Context {
  /** Identifies the request in logs and problems. */
  requestId: string;
  /** Throws `ApiError` UNAUTHORIZED or TOO_MANY_REQUESTS unless the caller is an admin. */
  requireAdmin(): Promise<void>;
  /**
   * Writes an admitted call down before it is carried out. Throws `ApiError` SERVICE_UNAVAILABLE where that can not be done
   * and the call changes something.
   */
  recordAdminCall(call: AdminCall): Promise<void>;
  /** Sets a header of the answer. */
  setHeader(name: string, value: string): void;
  /** Turns whatever an operation threw into the problem that the caller gets; logs what was unexpected. */
  toProblem(error: unknown): Problem;
  /** Turns whatever an operation threw into an error that has a code for the caller. */
  toApiError(error: unknown): Error;
}

/** A call that only admins may make. */
export interface AdminCall {
  /** Dotted name of the operation. */
  operation: string;
  /** Whether it changes something. */
  changes: boolean;
  /** The input as it was sent. */
  input: unknown;
}

/** One operation of the API: what it takes, what it answers, where it lives. */
export interface Operation<
  Method extends 'GET' | 'POST' = 'GET' | 'POST',
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodType = z.ZodType,
> {
  method: Method;
  /** Path with `{parameters}`, each of them a key of `input`. */
  path: `/${string}`;
  summary: string;
  description: string;
  tags: string[];
  /** Of a POST: inputs that come in the query instead of the body. */
  query: string[];
  /** Whether only an admin may call it. The guard is part of the procedure. */
  admin: boolean;
  /** Status of success. */
  status: 200 | 202;
  /** How long an answer may be kept: lists 1 h, single items 2 h, null not at all. */
  cache: 'list' | 'item' | null;
  /** Whether headers of its answer tell when the model that it is about ends. */
  tellsEnd: boolean;
  /** Errors that it may answer with, beside those that every operation has. */
  errors: ErrorCode[];
  input: Input;
  output: Output;
}

/** Writes an operation down, with the usual values filled in. */
export function operation<Method extends 'GET' | 'POST', Input extends z.ZodObject, Output extends z.ZodType>(
  spec: Pick<
    Operation<Method, Input, Output>,
    'method' | 'path' | 'summary' | 'description' | 'tags' | 'input' | 'output'
  > &
    Partial<Operation<Method, Input, Output>>,
): Operation<Method, Input, Output> {
  return { query: [], admin: false, status: 200, cache: null, tellsEnd: false, errors: [], ...spec };
}

/** The errors an operation may answer with: its own, and those that every operation has. */
export function errorsOf(op: Pick<Operation, 'errors' | 'admin'>): ErrorCode[] {
  const every: ErrorCode[] = [
    'BAD_REQUEST',
    'TOO_MANY_REQUESTS',
    'INTERNAL_SERVER_ERROR',
    'SERVICE_UNAVAILABLE',
  ];
  const codes = new Set([...op.errors, ...(op.admin ? (['UNAUTHORIZED'] as const) : []), ...every]);
  return (Object.keys(ERROR_STATUS) as ErrorCode[]).filter((code) => codes.has(code));
}

/** The metadata that the OpenAPI generator reads, declared here so that published types need no library. */
export interface OperationMeta {
  openapi: {
    method: 'GET' | 'POST';
    path: `/${string}`;
    operationId: string;
    summary: string;
    description: string;
    tags: string[];
    protect: boolean;
  };
  operation: Operation;
}

/** A tree of operations, as contracts/index.ts lays it out. */
export interface OperationTree {
  [name: string]: Operation | OperationTree;
}

/** The handlers that a tree of operations needs: one function a leaf, from parsed input to output. */
export type HandlersOf<Tree> = {
  [Name in keyof Tree]: Tree[Name] extends Operation<infer _Method, infer Input, infer Output>
    ? (input: z.output<Input>, context: Context) => Promise<z.input<Output>>
    : HandlersOf<Tree[Name]>;
};

type RecordOf<Tree> = {
  [Name in keyof Tree]: Tree[Name] extends Operation<infer Method, infer Input, infer Output>
    ? Method extends 'GET'
      ? TRPCQueryProcedure<{ input: InputOf<Input>; output: z.output<Output>; meta: OperationMeta }>
      : TRPCMutationProcedure<{ input: InputOf<Input>; output: z.output<Output>; meta: OperationMeta }>
    : RecordOf<Tree[Name]>;
};
type InputOf<Input extends z.ZodObject> =
  Record<string, never> extends z.input<Input> ? z.input<Input> | void : z.input<Input>;

const t = initTRPC
  .context<Context>()
  .meta<OperationMeta>()
  .create({
    isDev: false,
    errorFormatter({ error, ctx }) {
      const problem = ctx?.toProblem(error) ?? null;
      return { code: -32_603, message: problem?.detail ?? 'The request could not be read', data: problem };
    },
  });

type Root = typeof t._config.$types;
/** The tRPC router of a tree of operations. */
export type RouterOf<Tree> = TRPCBuiltRouter<
  { ctx: Context; meta: OperationMeta; errorShape: Root['errorShape']; transformer: false },
  RecordOf<Tree>
>;

/** Tells an operation from a tree of them. */
export function isOperation(node: Operation | OperationTree): node is Operation {
  return typeof node.method === 'string';
}

/** Walks a tree of operations: each with its dotted name, in the order of the tree. */
export function* operationsOf(tree: OperationTree, prefix = ''): Generator<[name: string, op: Operation]> {
  for (const [name, node] of Object.entries(tree)) {
    if (isOperation(node)) yield [prefix + name, node];
    else yield* operationsOf(node, `${prefix}${name}.`);
  }
}

type Handler = (input: unknown, context: Context) => Promise<unknown>;
type HandlerTree = { [name: string]: Handler | HandlerTree };

function procedureOf(name: string, op: Operation, handler: Handler) {
  const base = t.procedure
    .meta({
      openapi: {
        method: op.method,
        path: op.path,
        operationId: name.replaceAll('.', '_'),
        summary: op.summary,
        description: op.description,
        tags: op.tags,
        protect: op.admin,
      },
      operation: op,
    })
    .use(async ({ ctx, next, getRawInput }) => {
      if (op.admin) {
        await ctx.requireAdmin();
        const input = await getRawInput();
        await ctx.recordAdminCall({ operation: name, changes: op.method !== 'GET', input });
      }
      return next();
    })
    .input(op.input.prefault({}))
    .output(op.output);
  const run = async ({ input, ctx }: { input: unknown; ctx: Context }) => {
    try {
      return await handler(input, ctx);
    } catch (error) {
      throw ctx.toApiError(error);
    }
  };
  return op.method === 'GET' ? base.query(run) : base.mutation(run);
}

/** Builds the tRPC router of a tree of operations from its handlers. A missing handler does not compile. */
export function createRouterOf<Tree extends OperationTree>(
  tree: Tree,
  handlers: HandlersOf<Tree>,
): RouterOf<Tree> {
  const build = (nodes: OperationTree, leaves: HandlerTree, prefix: string): ReturnType<typeof t.router> =>
    t.router(
      Object.fromEntries(
        Object.entries(nodes).map(([name, node]) => [
          name,
          isOperation(node)
            ? procedureOf(prefix + name, node, leaves[name] as Handler)
            : build(node, leaves[name] as HandlerTree, `${prefix}${name}.`),
        ]),
      ),
    );
  return build(tree, handlers as HandlerTree, '') as unknown as RouterOf<Tree>;
}
