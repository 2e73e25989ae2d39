// Words that change with a number.
type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & {
  readonly other: string;
  /** Of 0, where a language has no form of its own for it. */
  readonly none?: string;
};

/** Gives a function that puts the number in place of # in the form that it needs. */
export function pluralsOf(locale: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return (count, { none, ...forms }) => {
    const form = count === 0 && none !== undefined ? none : (forms[rules.select(count)] ?? forms.other);
    return form.replace("#", numbers.format(count));
  };
}
