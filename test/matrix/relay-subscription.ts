import { Kind, type OperationDefinitionNode, parse, type SelectionSetNode, valueFromASTUntyped } from 'graphql'
import type { ConcreteRequest, INetwork } from 'relay-runtime'
import relay from 'relay-runtime'
import type { OpenClient } from './client.ts'

export function openRelay(network: INetwork): OpenClient {
  const environment = new relay.Environment({ network, store: new relay.Store(new relay.RecordSource()) })
  return {
    subscribe({ query, variables }, sink) {
      const { dispose } = relay.requestSubscription(environment, {
        subscription: compiled(query),
        variables,
        onNext: (data) => sink.next({ data }),
        onError: sink.error,
        onCompleted: sink.complete,
      })
      return dispose
    },
  }
}

/** What Relay's compiler makes of an operation whose objects are all orders. */
function compiled(text: string): ConcreteRequest {
  const operation = parse(text).definitions[0] as OperationDefinitionNode
  const argumentDefinitions = (operation.variableDefinitions ?? []).map(({ variable }) => ({
    defaultValue: null,
    kind: 'LocalArgument',
    name: variable.name.value,
  }))
  const name = operation.name?.value ?? 'Unnamed'
  const selections = fieldsOf(operation.selectionSet)
  return {
    fragment: { argumentDefinitions, kind: 'Fragment', metadata: null, name, selections, type: 'Subscription' },
    kind: 'Request',
    operation: { argumentDefinitions, kind: 'Operation', name, selections },
    params: { cacheID: text, id: null, metadata: {}, name, operationKind: 'subscription', text },
  } as unknown as ConcreteRequest
}

function fieldsOf(selectionSet: SelectionSetNode): object[] {
  return selectionSet.selections.flatMap((field) => {
    if (field.kind !== Kind.FIELD) return []
    const name = field.name.value
    const args = (field.arguments ?? []).map(({ name: { value: arg }, value }) =>
      value.kind === Kind.VARIABLE
        ? { kind: 'Variable', name: arg, variableName: value.name.value }
        : { kind: 'Literal', name: arg, value: valueFromASTUntyped(value) },
    )
    const common = { alias: null, args: args.length > 0 ? args : null, name, storageKey: null }
    if (!field.selectionSet) return [{ ...common, kind: 'ScalarField' }]
    return [
      {
        ...common,
        kind: 'LinkedField',
        concreteType: 'Order',
        plural: false,
        selections: fieldsOf(field.selectionSet),
      },
    ]
  })
}
