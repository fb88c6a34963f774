import {
  type ExecutionResult,
  executeSubscriptionEvent,
  getVariableValues,
  type ValidatedSubscriptionArgs,
} from 'graphql'

/** Executes one event by graphql-js. */
export function executeEvent(
  args: ValidatedSubscriptionArgs,
  rootValue: unknown,
): ExecutionResult | Promise<ExecutionResult> {
  return executeSubscriptionEvent({ ...args, rootValue, variableValues: variablesOf(args) })
}

/**
 * The variables of an event. Resolvers get those that are objects as they are, and may change them: each event has its
 * own, so that no other event and no other client sees it.
 */
export function variablesOf(args: ValidatedSubscriptionArgs): ValidatedSubscriptionArgs['variableValues'] {
  const { schema, operation, rawVariableValues, variableValues } = args
  if (!hasObjects(variableValues)) return variableValues
  const fresh = getVariableValues(schema, operation.variableDefinitions ?? [], structuredClone(rawVariableValues ?? {}))
  return fresh.variableValues ?? variableValues
}

function hasObjects({ coerced }: ValidatedSubscriptionArgs['variableValues']): boolean {
  for (const name in coerced) {
    const value = coerced[name]
    if (typeof value === 'object' && value !== null) return true
  }
  return false
}
