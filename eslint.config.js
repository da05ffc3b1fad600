import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.data/', '**/*.js', '**/*.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'prefer-const': ['error', { ignoreReadBeforeAssign: true }],
      'no-console': 'error',
      'max-lines': ['error', { max: 220 }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': [
        'error',
        {
          selector: ':not(MethodDefinition) > :function[params.length>3]',
          message: 'More than three parameters: take one object.',
        },
        {
          selector: 'MethodDefinition[kind="method"] > :function[params.length>3]',
          message: 'More than three parameters: take one object.',
        },
        {
          selector: 'MethodDefinition[kind="constructor"] > :function[params.length>5]',
          message: 'More than five dependencies.',
        },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Nest's modules and roots are classes without members, told apart by their decorators.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowStaticOnly: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Configuration and answers are classes for their metadata and as tokens; their values are plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A method that is part of a promise-based interface stays `async` also where it awaits nothing.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      'no-restricted-imports': [
        'error',
        {
          name: '@nestjs/common',
          importNames: ['Body', 'RawBody', 'Query', 'Param', 'UploadedFile', 'UploadedFiles'],
          message: 'Nothing validates them: use ValidBody, ValidQuery and Id of src/http/validation.',
        },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'src/config is the only reader of the environment.' },
      ],
    },
  },
  {
    files: ['src/http/validation/validated.decorator.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // The tools talk to a terminal and have no logger.
    files: ['tools/**/*.ts', 'bench/**/*.ts', 'test/simulator/**/*.ts', 'src/roles/run.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // The two entries hand the environment over: to src/config, and for TypeORM's CLI.
    files: ['src/roles/run.ts', 'src/database/data-source.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Tables of contenders and verdicts are long and flat.
    files: ['bench/**/*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      // Bodies of answers and rows are whatever the server sent; the assertion is the check.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
);
