// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

import java.lang.foreign.MemorySegment;

/**
 * cuDNN's C functions that graphs are made and run with, as they are: each returns a status, 0 for success, but where it says otherwise. Descriptors,
 * handles and streams are addresses. Names and meanings: cudnn_graph_v9.h and docs.nvidia.com, "cudnn_graph Library".
 */
public interface Backend {
    /** cudnnGetVersion: major * 10000 + minor * 100 + patch. */
    long version();

    /** cudnnGetErrorString and, where there is one, the text that cudnnGetLastErrorString has for this thread's last failure. */
    String describe(int status);

    /** cudnnCreate. @param handle 8 bytes to write the new handle to */
    int createHandle(MemorySegment handle);

    /** cudnnDestroy. */
    int destroyHandle(long handle);

    /** cudnnSetStream. */
    int setStream(long handle, long stream);

    /** cudnnBackendCreateDescriptor. @param descriptor 8 bytes to write the new descriptor to */
    int create(int kind, MemorySegment descriptor);

    /** cudnnBackendDestroyDescriptor. */
    int destroy(long descriptor);

    /** cudnnBackendSetAttribute. */
    int set(long descriptor, int attribute, int type, long count, MemorySegment values);

    /** cudnnBackendGetAttribute. @param count 8 bytes to write the number of elements there are to */
    int get(long descriptor, int attribute, int type, long room, MemorySegment count, MemorySegment values);

    /** cudnnBackendFinalize. */
    int finish(long descriptor);

    /** cudnnBackendExecute. */
    int execute(long handle, long plan, long variantPack);
}
