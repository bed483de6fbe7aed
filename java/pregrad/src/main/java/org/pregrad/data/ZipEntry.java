package org.pregrad.data;

/**
 * One file of a zip, as its central directory describes it.
 *
 * @param name         path inside the zip
 * @param method       compression: 0 stored, 8 deflated
 * @param crc          CRC-32 of the uncompressed bytes
 * @param storedSize   bytes in the zip
 * @param size         bytes once uncompressed
 * @param headerOffset where the local header starts
 */
record ZipEntry(String name, int method, long crc, long storedSize, long size, long headerOffset) {
    static final int STORED = 0;
    static final int DEFLATED = 8;

    /** No deflate stream can expand by more than this, so a larger declared size is a lie that would cost memory. */
    private static final long LARGEST_EXPANSION = 1032;

    private static final long STREAM_OVERHEAD = 64;

    ZipEntry {
        boolean sound = storedSize >= 0 && size >= 0 && headerOffset >= 0;
        if (method == STORED) {
            sound &= size == storedSize;
        } else if (method == DEFLATED) {
            sound &= size / LARGEST_EXPANSION <= storedSize + STREAM_OVERHEAD;
        } else {
            throw new ArrayFileException("entry " + name + " is compressed by method " + method
                    + "; save the file again with numpy.savez or numpy.savez_compressed");
        }
        if (!sound) {
            throw new ArrayFileException("entry " + name + " gives sizes that cannot be (" + storedSize
                    + " bytes stored, " + size + " unpacked); the file is damaged: save it again with numpy.savez");
        }
    }

    /** For messages. */
    String what() {
        return "entry " + name;
    }
}
