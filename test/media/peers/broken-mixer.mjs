// Loaded into a media worker before anything else: whatever mixes voices throws, as a defect of ours would, in a timer.
const from = Int16Array.from.bind(Int16Array);
Int16Array.from = (source, ...rest) => {
  if (source instanceof Int32Array) throw new Error("the mixer broke");
  return from(source, ...rest);
};
