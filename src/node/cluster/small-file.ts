import type { Files } from '../../storage/index.ts';
import { fromUtf8, utf8 } from '../../shared/index.ts';
import { writeFully } from '../../storage/index.ts';

/** Makes `text` the content of a file, durably: after a crash it has the old content or the new. */
export async function writeSmallFile(
  files: Files,
  directory: string,
  { name, text }: { readonly name: string; readonly text: string },
): Promise<void> {
  const temporary = `${directory}/${name}.tmp`;
  await files.remove(temporary);
  const file = await files.open(temporary, 'plain');
  try {
    await writeFully(file, 0, utf8(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, `${directory}/${name}`);
  await files.syncDirectory(directory);
}

/** null: there is no such file. */
export async function readSmallFile(files: Files, path: string): Promise<string | null> {
  const size = await files.sizeOf(path);
  if (size === null) return null;
  const file = await files.open(path, 'read');
  try {
    return fromUtf8(await file.read(0, size));
  } finally {
    await file.close();
  }
}
