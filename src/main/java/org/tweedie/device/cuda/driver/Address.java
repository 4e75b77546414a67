// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda.driver;

import jcuda.driver.CUdeviceptr;

/** A device address as JCuda wants and gives it: its own class keeps the number to itself. */
final class Address extends CUdeviceptr {
    /** For a call to fill in. */
    Address() {}

    Address(long value) {
        super(new CUdeviceptr(), value);
    }

    long value() {
        return getNativePointer() + getByteOffset();
    }
}
