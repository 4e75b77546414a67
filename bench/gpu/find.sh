# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/gpu-check: where the pack, Java, PyTorch and NVIDIA's libraries are.

# Sets home (where models and scripts are), jars and tests: of a pack, else of a built checkout.
find_pack() {
    home=$root
    if [[ -n $pack ]]; then
        [[ -r $pack/VERSION && -d $pack/target ]] || misuse "--pack: expected a folder that bench/pack-gpu made, got '$pack', which has no VERSION and target"
    elif [[ -r $root/runtime.tar.xz ]]; then
        pack=$root
    elif [[ -r $root/.pack/runtime.tar.xz ]]; then
        pack=$root/.pack
    fi
    jars=$root/target tests=$root/target/test-classes
    if [[ -n $pack ]]; then
        pack=$(cd "$pack" && pwd)
        [[ ! -d $pack/weights-tools ]] || home=$pack
        jars=$pack/target tests=$pack/target/tests.jar
    fi
}

# Sets java, console (JUnit's), flags and classpath; java is empty where there is none.
find_java() {
    local folder j
    java='' console=$jars/junit-platform-console-standalone.jar
    if [[ -z $pack ]]; then
        for folder in "${TWEEDIE_JAVA:-}" "${JAVA_HOME:-}" /usr/lib/jvm/* "$(dirname "$(dirname "$(readlink -f "$(command -v java || true)")")")"; do
            if [[ -x $folder/bin/java && -r $folder/release ]] && (($(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$folder/release") >= 25)); then
                java=$folder/bin/java
                break
            fi
        done
        console=$(find "$root/target" "${HOME:-/}/.m2/repository/org/junit/platform" -name 'junit-platform-console-standalone*.jar' -print -quit 2> /dev/null)
    elif [[ -x $pack/runtime/bin/java ]]; then # unpacked already
        java=$pack/runtime/bin/java
    elif tar -C "$work" -xJf "$pack/runtime.tar.xz" 2>> "$log" ||
        python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$pack/runtime.tar.xz" "$work" 2>> "$log"; then
        java=$work/runtime/bin/java
    else
        note "$pack/runtime.tar.xz cannot be unpacked (neither tar with xz nor Python does it); no part that needs Java will run"
    fi
    flags=(--enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector -XX:+UseSerialGC -XX:MaxRAMPercentage=50 "-Dtweedie.home=$home")
    classpath=$jars/tweedie.jar:$tests
    for j in "$jars"/lib/*.jar; do classpath+=:$j; done
}

no_java() { # says why nothing of ours can run, or fails
    [[ -n $java ]] || { echo "no Java 25: give --pack"; return; }
    [[ -r $jars/tweedie.jar ]] || { echo "$jars/tweedie.jar is not there: give --pack, or build with ./tweedie --version"; return; }
    return 1
}

# Folders of cuBLAS, cuDNN and NVRTC: the loader's, those of Python's wheels, then wherever they are.
folder_of() {
    local f site=''
    f=$({ ldconfig -p || /sbin/ldconfig -p; } 2> /dev/null | sed -n "s:.*=> \(.*/$1\)\$:\1:p" | head -n 1)
    if [[ -z $f ]]; then
        if [[ ! -e $work/libraries ]]; then
            site=$(timeout 20 python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' 2> /dev/null)
            timeout 12 find ${site:+"$site/nvidia"} /usr /opt /root /home -xdev \( -name 'libcublas.so.1[23]' -o -name libcudnn.so.9 -o -name 'libnvrtc.so.1[23]' \) > "$work/libraries" 2> /dev/null
        fi
        f=$(grep "/$1\$" "$work/libraries" | head -n 1)
    fi
    [[ -z $f ]] || dirname "$f"
}

find_libraries() {
    local folders=() f
    cublas=$(folder_of libcublas.so.12) cudnn=$(folder_of libcudnn.so.9) nvrtc='' forwarded=''
    if [[ -n $cublas ]]; then
        folders+=("$cublas")
    else
        cublas=$(folder_of libcublas.so.13)
        if [[ -n $cublas ]]; then
            if [[ -n $pack && -r $pack/cublas12/libcublas.so.12 ]]; then
                forwarded=$pack/cublas12
            elif "$here/cublas12-forwarder/build" "$work/cublas12" >> "$log" 2>&1; then
                forwarded=$work/cublas12
            fi
            [[ -z $forwarded ]] || folders+=("$forwarded")
            folders+=("$cublas")
        fi
    fi
    [[ -z $cudnn ]] || folders+=("$cudnn")
    nvrtc=$(folder_of "libnvrtc.so.$([[ -n $forwarded ]] && echo 13 || echo 12)") # that of cuDNN's CUDA
    [[ -z $nvrtc ]] || folders+=("$nvrtc")
    for f in "${folders[@]}"; do
        TWEEDIE_CUDA_LIBRARIES=${TWEEDIE_CUDA_LIBRARIES:+$TWEEDIE_CUDA_LIBRARIES:}$f
        LD_LIBRARY_PATH=$f${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
    [[ -z $forwarded ]] || export TWEEDIE_CUBLAS13=$cublas/libcublas.so.13
    [[ -z $forwarded ]] || LD_LIBRARY_PATH=$forwarded:$LD_LIBRARY_PATH
    ((${#folders[@]} == 0)) || export TWEEDIE_CUDA_LIBRARIES LD_LIBRARY_PATH
}

has_torch() { command -v python3 > /dev/null && timeout 60 python3 -c 'import torch' 2> /dev/null; }
