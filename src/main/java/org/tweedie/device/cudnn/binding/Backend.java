// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

import java.lang.foreign.MemorySegment;

/**
 * The C functions of cuDNN with which graphs are made and run. Each returns a status, 0 for success, unless its description says
 * otherwise. Descriptors, handles and streams are addresses. Names and meanings are those of cudnn_graph_v9.h and of
 * docs.nvidia.com, "cudnn_graph Library".
 */
public interface Backend {
    /** Calls cudnnGetVersion, which returns major * 10000 + minor * 100 + patch. */
    long version();

    /**
     * Returns the text of cudnnGetErrorString and, where there is one, the text of cudnnGetLastErrorString for this thread's last
     * failure.
     */
    String describe(int status);

    /**
     * Calls cudnnCreate.
     *
     * @param handle 8 bytes to which the new handle is written
     */
    int createHandle(MemorySegment handle);

    /** Calls cudnnDestroy. */
    int destroyHandle(long handle);

    /** Calls cudnnSetStream. */
    int setStream(long handle, long stream);

    /**
     * Calls cudnnBackendCreateDescriptor.
     *
     * @param descriptor 8 bytes to which the new descriptor is written
     */
    int create(int kind, MemorySegment descriptor);

    /** Calls cudnnBackendDestroyDescriptor. */
    int destroy(long descriptor);

    /** Calls cudnnBackendSetAttribute. */
    int set(long descriptor, int attribute, int type, long count, MemorySegment values);

    /**
     * Calls cudnnBackendGetAttribute.
     *
     * @param count 8 bytes to which the number of available elements is written
     */
    int get(long descriptor, int attribute, int type, long room, MemorySegment count, MemorySegment values);

    /** Calls cudnnBackendFinalize. */
    int finish(long descriptor);

    /** Calls cudnnBackendExecute. */
    int execute(long handle, long plan, long variantPack);
}
