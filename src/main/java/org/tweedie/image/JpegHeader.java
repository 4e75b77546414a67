// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The properties of a JPEG file that its header gives.
 *
 * @param components channels: 1 grey, 3 colour, 4 for print (CMYK)
 * @param orientation Exif's number from 1 (upright) to 8, which says how to turn the stored picture
 */
record JpegHeader(int components, int orientation) {
    static boolean isJpeg(byte[] file) {
        return file.length >= 3 && (file[0] & 0xFF) == 0xFF && (file[1] & 0xFF) == 0xD8 && (file[2] & 0xFF) == 0xFF;
    }

    /** Reads the header; components is 0 when the file ends before it gives them. */
    static JpegHeader read(byte[] file) {
        ByteBuffer b = ByteBuffer.wrap(file);
        int orientation = 1;
        int at = 2;
        while (at + 10 < file.length && (file[at] & 0xFF) == 0xFF) {
            int marker = file[at + 1] & 0xFF;
            int length = b.getShort(at + 2) & 0xFFFF;
            boolean frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
            if (frame) {
                return new JpegHeader(file[at + 9] & 0xFF, orientation);
            }
            if (marker == 0xFF) { // this is a fill byte
                at++;
                continue;
            }
            if (marker == 0xE1 && at + 2 + length <= file.length && length >= 16
                    && b.getInt(at + 4) == 0x45786966) { // these four bytes spell "Exif"
                orientation = exif(b.slice(at + 10, length - 8));
            }
            at += 2 + length;
        }
        return new JpegHeader(0, orientation);
    }

    /** Returns tag 0x0112 of the first directory of a TIFF block, or 1 when the tag does not exist. */
    private static int exif(ByteBuffer tiff) {
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        if (directory < 8 || directory > tiff.limit() - 2) {
            return 1;
        }
        int entries = tiff.getShort(directory) & 0xFFFF;
        for (int i = 0; i < entries && directory + 14 + 12 * i <= tiff.limit(); i++) {
            int entry = directory + 2 + 12 * i;
            int value = tiff.getShort(entry + 8) & 0xFFFF;
            if (tiff.getShort(entry) == 0x0112 && value >= 1 && value <= 8) {
                return value;
            }
        }
        return 1;
    }

    /** Returns the picture turned upright. */
    Image upright(Image p) {
        if (orientation == 1) {
            return p;
        }
        boolean turned = orientation >= 5;
        int w = turned ? p.height() : p.width();
        int h = turned ? p.width() : p.height();
        float[] out = new float[p.data().length];
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int u = turned ? y : x;
                int v = turned ? x : y;
                int sx = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8 ? p.width() - 1 - u : u;
                int sy = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7 ? p.height() - 1 - v : v;
                System.arraycopy(p.data(), (sy * p.width() + sx) * 3, out, (y * w + x) * 3, 3);
            }
        }
        return new Image(w, h, out);
    }
}
