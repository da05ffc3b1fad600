/** Imported before everything else: an older Node.js would not start and say why, or start and fail later on. */
const NEEDED = 24;
const major = Number(process.versions.node.split('.', 1)[0]);

if (major < NEEDED) {
  process.stderr.write(
    `Node.js ${NEEDED} or newer is needed, and this is ${process.version}. The npm scripts bring their own ("npm run start:prod"); ` +
      'the image has it as well.\n',
  );
  process.exit(2);
}

export {};
