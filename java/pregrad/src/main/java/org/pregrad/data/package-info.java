/**
 * Readers of files of arrays, batch by batch in memory that a model takes without a copy.
 *
 * <pre>{@code
 * try (ArrayFile file = ArrayFile.open(Path.of("digits.npz"));
 *         ArrayReader images = file.open("x")) {
 *     long left = images.shape().get(0);
 *     while (left > 0) {
 *         int samples = (int) Math.min(256, left);
 *         FloatBuffer batch = images.next((int) (samples * images.elementsPerSample())).asFloatBuffer();
 *         attribution.add(Input.of(batch, samples, 1, 8, 8), labels, clusters);
 *         left -= samples;
 *     }
 * }
 * }</pre>
 *
 * <p>What is read: {@code .npz} files as {@code numpy.savez} and {@code numpy.savez_compressed} write them, beyond 4 GiB
 * too, and {@code .npy} files as {@code numpy.save} does, of numbers, in either byte order. Pickled objects, records and
 * text are refused. Nothing of a file is trusted: sizes are held against the file before memory is taken for them, and the
 * checksum of a {@code .npz} is looked at with its last element.
 *
 * <p>No native library is loaded for it.
 */
package org.pregrad.data;
