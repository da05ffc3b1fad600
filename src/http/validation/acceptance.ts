import { getMetadataStorage, ValidationTypes } from 'class-validator';

/** Whether a rule holds for the value of a property of an instance. */
type Rule = (value: unknown, instance: object) => boolean;

/** The rules of a property, which bind it only where all conditions hold. */
interface Property {
  readonly conditions: Rule[];
  readonly rules: Rule[];
}

type Metadata = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

const propertiesOf = new Map<unknown, ReadonlyMap<string, Property>>();

/**
 * Whether an instance surely keeps all rules of class-validator on its class, and has no property without one. When this is `false`,
 * class-validator says whether and why; of what is right it knows no more than this does, and it makes an error for each property
 * before it has looked at it (docs/decisions/0005). A kind of rule that is not used here is left to it.
 */
export function isAccepted(instance: object): boolean {
  const type = instance.constructor;
  let properties = propertiesOf.get(type);
  if (properties === undefined) {
    properties = gatherProperties(type);
    propertiesOf.set(type, properties);
  }
  if (properties.size === 0) return false;
  for (const name of Object.keys(instance)) if (!properties.has(name)) return false;
  for (const [name, property] of properties) if (!holds(property, Reflect.get(instance, name), instance)) return false;
  return true;
}

function holds({ conditions, rules }: Property, value: unknown, instance: object): boolean {
  for (const isBound of conditions) if (!isBound(value, instance)) return true;
  for (const keeps of rules) if (!keeps(value, instance)) return false;
  return true;
}

/** The rules never change: they are all there before the first request. */
function gatherProperties(type: Metadata['constraintCls']): ReadonlyMap<string, Property> {
  const properties = new Map<string, Property>();
  for (const metadata of getMetadataStorage().getTargetValidationMetadatas(type, '', false, false)) {
    const property = properties.get(metadata.propertyName) ?? { conditions: [], rules: [] };
    properties.set(metadata.propertyName, property);
    if (metadata.type === ValidationTypes.CONDITIONAL_VALIDATION) property.conditions.push(conditionOf(metadata));
    else property.rules.push(...rulesOf(metadata));
  }
  return properties;
}

function conditionOf({ constraints }: Metadata): Rule {
  const condition: unknown = constraints[0];
  if (typeof condition !== 'function') throw new TypeError('A condition of class-validator is no function');
  return (value, instance) => Boolean(Reflect.apply(condition, undefined, [instance, value]));
}

function rulesOf(metadata: Metadata): Rule[] {
  const { type, each, constraintCls, validateIf } = metadata;
  if (type === ValidationTypes.NESTED_VALIDATION) return [isNestedAccepted];
  if (type !== ValidationTypes.CUSTOM_VALIDATION || validateIf !== undefined) return [() => false];
  const rules = getMetadataStorage()
    .getTargetValidatorConstraints(constraintCls)
    .map((constraint) => ruleOf(metadata, constraint.instance));
  return each ? rules.map(ofEach) : rules;
}

type Constraint = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidatorConstraints']>[number];

function ruleOf({ propertyName, constraints }: Metadata, validator: Constraint['instance']): Rule {
  return (value, object) =>
    validator.validate(value, {
      value,
      object,
      constraints,
      property: propertyName,
      targetName: object.constructor.name,
    }) === true;
}

function ofEach(rule: Rule): Rule {
  return (value, instance) => Array.isArray(value) && value.every((item) => rule(item, instance));
}

function isNestedAccepted(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => isObject(item) && isAccepted(item));
  return isObject(value) && isAccepted(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
