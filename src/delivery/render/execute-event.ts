import {
  type ExecutionResult,
  executeSubscriptionEvent,
  getVariableValues,
  type ValidatedSubscriptionArgs,
} from 'graphql'

/** Executes one event with graphql-js. */
export function executeEvent(
  args: ValidatedSubscriptionArgs,
  rootValue: unknown,
): ExecutionResult | Promise<ExecutionResult> {
  return executeSubscriptionEvent({ ...args, rootValue, variableValues: variablesOf(args) })
}

/**
 * The variables of an event. Resolvers receive object values as they are, and may modify them: a copy for each event
 * isolates it from other events and clients.
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
