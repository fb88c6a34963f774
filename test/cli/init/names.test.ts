import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { camelCase, distinct, kebabCase, memberName, pascalCase, singular } from '../../../src/cli/init/plan/names.ts'
import { Statistics } from '../../kit/statistics.ts'

const NAME = /^(?!__)[_A-Za-z][_0-9A-Za-z]*$/

describe('names of a project', () => {
  it.each([
    ['my-topic.v1', 'myTopicV1', 'MyTopicV1', 'my-topic-v1'],
    ['first-name', 'firstName', 'FirstName', 'first-name'],
    ['first_name', 'firstName', 'FirstName', 'first-name'],
    ['FIRST_NAME', 'firstName', 'FirstName', 'first-name'],
    ['firstName', 'firstName', 'FirstName', 'first-name'],
    ['HTTPStatus', 'hTTPStatus', 'HTTPStatus', 'httpstatus'],
    ['URL', 'url', 'Url', 'url'],
    ['class', 'class', 'Class', 'class'],
    ['__typename', 'typename', 'Typename', 'typename'],
    ['1st', '_1st', '_1st', '1st'],
    ['Größe', 'grosse', 'Grosse', 'grosse'],
    ['łódź', 'lodz', 'Lodz', 'lodz'],
    ['数', 'x', 'X', 'x'],
    ['', 'x', 'X', 'x'],
    ['a b\n"c"', 'aBC', 'ABC', 'a-b-c'],
  ])('%j', (name, camel, pascal, kebab) => {
    expect([camelCase(name, 'x'), pascalCase(name, 'x'), kebabCase(name, 'x')]).toEqual([camel, pascal, kebab])
  })

  it.each([
    ['payments', 'payment'],
    ['entries', 'entry'],
    ['addresses', 'address'],
    ['boxes', 'box'],
    ['status', 'status'],
    ['address', 'address'],
    ['news', 'new'],
    ['s', 's'],
  ])('one of %s is %s', (many, one) => {
    expect(singular(many)).toBe(one)
  })

  it.each([
    ['PAID', 'PAID'],
    ['paid', 'paid'],
    ['part-paid', 'PART_PAID'],
    ['1st', '_1ST'],
    ['true', 'TRUE'],
    ['__x', 'X'],
    ['+', 'EMPTY'],
  ])('the member of %s is %s', (value, member) => {
    expect(memberName(value)).toBe(member)
  })

  it('are names, all different, and do not depend on the order in which they were met', () => {
    const statistics = new Statistics('Names', ['mapped', 'same', 'numbered', 'without letters'])
    const some = fc.constantFrom(
      'a_b',
      'a-b',
      'aB',
      'a b',
      'AB',
      'ab',
      '1',
      '_1',
      '__a',
      'a',
      'a2',
      'class',
      '',
      '数',
      '日',
    )
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(some, fc.string({ unit: 'grapheme' })), { maxLength: 12 }), (sources) => {
        const map = (source: string) => camelCase(source, 'field')
        const names = distinct(sources, map)
        for (const [source, name] of names) {
          expect(name).toMatch(NAME)
          statistics.count(source === name ? 'same' : 'mapped')
          if (name !== map(source)) statistics.count('numbered')
          if (camelCase(source, '') === '') statistics.count('without letters')
        }
        expect(new Set(names.values()).size).toBe(sources.length)
        expect(new Map([...distinct(sources.toReversed(), map)].sort())).toEqual(new Map([...names].sort()))
      }),
      { numRuns: 300 },
    )
    statistics.report()
  })
})
