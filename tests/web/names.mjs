// Print every name that our TypeScript declares, as JSON: `node tests/web/names.mjs`. For types: whether the DOM's own
// library declares a type of the same name, which ours would shadow.
import { relative } from "node:path";
import ts from "typescript";

const config = ts.getParsedCommandLineOfConfigFile("tsconfig.json", {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail });
const program = ts.createProgram(config.fileNames, config.options);
const types = new Set();
for (const source of program.getSourceFiles().filter((file) => program.isSourceFileDefaultLibrary(file))) {
  source.forEachChild((node) => void (isType(node) && types.add(node.name.text)));
}
const names = [];
for (const source of program.getSourceFiles()) {
  const file = relative(process.cwd(), source.fileName);
  if (program.isSourceFileDefaultLibrary(source) || file.includes("node_modules/")) continue;
  names.push({ name: file.split("/").at(-1).replace(/\.ts$/u, ""), file, line: 1, shadows: false });
  visit(source, source, file);
}
process.stdout.write(JSON.stringify(names));

function visit(node, source, file) {
  if (node.name !== undefined && ts.isIdentifier(node.name) && isDeclaration(node)) {
    const { line } = source.getLineAndCharacterOfPosition(node.name.pos);
    names.push({ name: node.name.text, file, line: line + 1, shadows: isType(node) && types.has(node.name.text) });
  }
  node.forEachChild((child) => visit(child, source, file));
}

function isType(node) {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node) || ts.isEnumDeclaration(node);
}

function isDeclaration(node) {
  return isType(node) || ts.isFunctionDeclaration(node) || ts.isVariableDeclaration(node) || ts.isParameter(node)
    || ts.isPropertySignature(node) || ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node) || ts.isBindingElement(node)
    || ts.isTypeParameterDeclaration(node);
}

function fail(diagnostic) {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
}
