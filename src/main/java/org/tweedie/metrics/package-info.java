// SPDX-License-Identifier: Apache-2.0
/**
 * PSNR, SSIM, MS-SSIM and LPIPS tell how near a picture is to the true one, {@code Spread} how far two restorations are apart,
 * and {@code Frechet} how far one set of pictures is from another by the features of a network.
 *
 * <p>The tables, the command line and the library's front may depend on this package. It computes on the host; only LPIPS and
 * its features run a network, on a device that the caller opens, with weights that the user supplies.
 */
package org.tweedie.metrics;
