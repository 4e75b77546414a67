// SPDX-License-Identifier: Apache-2.0
/**
 * This package holds measurements of pictures: the linear {@code MeasurementOperator}s (super-resolution, blur, motion,
 * inpainting, denoising), noise, and the files that hold a measurement. {@code Operators} makes an operator from the name
 * of a task.
 *
 * <p>Solvers and the command line may depend on this package.
 */
package org.tweedie.measure;
