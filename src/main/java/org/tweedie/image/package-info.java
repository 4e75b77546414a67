// SPDX-License-Identifier: Apache-2.0
/**
 * This package reads pictures from PNG and JPEG files and writes PNG files, each whole, with text chunks. {@code Image}
 * holds a picture's pixels.
 *
 * <p>Every package from {@code weights} upwards may depend on this package.
 */
package org.tweedie.image;
