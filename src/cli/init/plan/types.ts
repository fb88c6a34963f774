import type { Field, ObjectShape, Shape } from '../../../streams/topic/shape.ts'
import { camelCase, distinct, memberName, type Names, pascalCase, singular } from './names.ts'
import type { EnumPlan, FieldPlan, ObjectPlan, TypePlan, UnionPlan, ValuePlan } from './plan.ts'
import { DERIVED_TYPE } from './reserved.ts'

/** Gives the objects, unions and enums of a topic their names, from the whole value inwards. */
export class TypePlanner {
  readonly #names: Names
  readonly types: TypePlan[] = []
  readonly named = new Map<Shape | ObjectShape, TypePlan>()

  /** `names`: of the whole schema. */
  constructor(names: Names) {
    this.#names = names
  }

  root(value: Field, name: string): ObjectPlan | UnionPlan | ValuePlan {
    const own = this.#take(name)
    const { shape } = value
    if (shape.kind === 'object') return this.#object(shape, own)
    if (shape.kind === 'union') return this.#union(shape, own)
    this.#inner(shape, `${own}Value`)
    const plan: ValuePlan = { kind: 'value', name: own, value }
    this.types.push(plan)
    return plan
  }

  #take(name: string): string {
    return this.#names.take(DERIVED_TYPE.test(name) ? `${name}Value` : name)
  }

  #object(shape: ObjectShape, name: string, kind?: { by: string; value: string }): ObjectPlan {
    const sources = [...(kind ? [kind.by] : []), ...shape.fields.keys()]
    const names = distinct(sources, (source) => camelCase(source, 'field'))
    const fields: FieldPlan[] = []
    for (const [source, field] of shape.fields) {
      const own = names.get(source) as string
      this.#inner(field.shape, name + pascalCase(own, 'Field'))
      fields.push({ ...field, source, name: own })
    }
    const plan: ObjectPlan = {
      kind: 'object',
      name,
      fields,
      ...(kind && { discriminator: { source: kind.by, name: names.get(kind.by) as string, value: kind.value } }),
    }
    return this.#keep(shape, plan)
  }

  #union(shape: Shape & { readonly kind: 'union' }, name: string): UnionPlan {
    const of = [...shape.of].map(([value, object]) =>
      this.#object(object, this.#take(name + pascalCase(value, 'Kind')), { by: shape.by, value }),
    )
    return this.#keep(shape, { kind: 'union', name, by: shape.by, of })
  }

  /** Plans what is inside of a shape. What GraphQL shows as JSON has no types. */
  #inner(shape: Shape, name: string): void {
    // A definition may name a type in several places.
    if (this.named.has(shape)) return
    switch (shape.kind) {
      case 'object':
        this.#object(shape, this.#take(name))
        return
      case 'union':
        this.#union(shape, this.#take(name))
        return
      case 'enum': {
        const members = distinct(shape.values, memberName)
        const plan: EnumPlan = {
          kind: 'enum',
          name: this.#take(name),
          members: new Map([...members].map(([value, member]) => [member, value])),
        }
        this.#keep(shape, plan)
        return
      }
      case 'list':
        this.#inner(shape.of.shape, singular(name))
        return
      case 'map':
        this.#inner(shape.of.shape, `${name}Entry`)
    }
  }

  #keep<T extends TypePlan>(shape: Shape | ObjectShape, plan: T): T {
    this.named.set(shape, plan)
    this.types.push(plan)
    return plan
  }
}
