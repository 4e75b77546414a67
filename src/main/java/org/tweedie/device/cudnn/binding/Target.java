// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

/** What plans are made for. */
public sealed interface Target {
    /** A card that is there, by its cudnnHandle_t. */
    record Card(long handle) implements Target {}

    /** A card that need not be there, by its finished DEVICEPROP descriptor (cuDNN 9.8 or newer): plans can be made, not run. */
    record Properties(BackendDescriptor of) implements Target {}
}
