import { registerHooks } from 'node:module';

/** Says what the parser of GitHub finds wrong with a workflow; nothing: it would run. */
export async function errorsInWorkflow(name: string, text: string): Promise<string[]> {
  // @actions/workflow-parser 0.3 imports JSON without saying so, which Node refuses.
  const hooks = registerHooks({
    load: (url, context, next) =>
      next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
  });
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } =
    await import('@actions/workflow-parser');
  hooks.deregister();
  const { context, value } = parseWorkflow({ name, content: text }, new NoOperationTraceWriter());
  const found = context.errors.getErrors().map(({ message }) => message);
  if (value === undefined) return found;
  const template = await convertWorkflowTemplate(context, value);
  return [...new Set([...found, ...(template.errors ?? []).map(({ Message }) => Message)])];
}
