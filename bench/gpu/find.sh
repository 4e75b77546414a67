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

# Sets wheels: libraries that Python's packages brought.
find_wheels() {
    local site
    site=$(timeout 20 python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' 2> /dev/null)
    wheels=$([[ -z $site ]] || timeout 12 find "$site/nvidia" -name 'lib*.so.*' 2> /dev/null)
}

# The folder of a library: one that the user names for us, then for the loader; the loader's own; a wheel's; and with a second word wherever it is, which takes
# seconds, once.
folder_of() {
    local folder f named
    IFS=: read -r -a named <<< "$user_folders:$user_path"
    for folder in "${named[@]}"; do
        if [[ -n $folder && -e $folder/$1 ]]; then
            echo "$folder"
            return
        fi
    done
    f=$({ ldconfig -p || /sbin/ldconfig -p; } 2> /dev/null | grep -v '(libc6)' | sed -n "s:.*=> \(.*/$1\)\$:\1:p" | head -n 1)
    [[ -n $f ]] || f=$(grep "/$1\$" <<< "$wheels" | head -n 1)
    if [[ -z $f && -n ${2:-} && ! -e $work/libraries ]]; then
        timeout 12 find /usr /opt /root /home -xdev \( -name 'libcublas.so.1[23]' -o -name libcudnn.so.9 -o -name 'libnvrtc.so.1[23]' \) > "$work/libraries" 2> /dev/null
    fi
    [[ -n $f || ! -e $work/libraries ]] || f=$(grep "/$1\$" "$work/libraries" | head -n 1)
    [[ -z $f ]] || dirname "$f"
}

# Names folders to Tweedie, after those of the user; which it takes of them is its own matter: NVRTC must be of the CUDA that cuDNN was built for, which it
# reads from cuDNN, so NVRTC 12 and 13 are both offered.
find_libraries() {
    local cublas13 nvrtc12 nvrtc13 offered f
    user_folders=${TWEEDIE_CUDA_LIBRARIES:-} forwarded=''
    find_wheels
    cublas=$(folder_of libcublas.so.12 far) cublas13=$(folder_of libcublas.so.13) cudnn=$(folder_of libcudnn.so.9 far)
    nvrtc12=$(folder_of libnvrtc.so.12) nvrtc13=$(folder_of libnvrtc.so.13)
    [[ -n $nvrtc12$nvrtc13 ]] || nvrtc12=$(folder_of libnvrtc.so.12 far) nvrtc13=$(folder_of libnvrtc.so.13)
    if [[ -z $cublas && -n $cublas13 ]]; then
        cublas=$cublas13
        if [[ -n $pack && -r $pack/cublas12/libcublas.so.12 ]]; then
            forwarded=$pack/cublas12
        elif "$here/cublas12-forwarder/build" "$work/cublas12" >> "$log" 2>&1; then
            forwarded=$work/cublas12
        fi
        [[ -z $forwarded ]] || export TWEEDIE_CUBLAS13=${TWEEDIE_CUBLAS13:-$cublas/libcublas.so.13}
    fi
    nvrtc=$nvrtc12${nvrtc13:+${nvrtc12:+ and }$nvrtc13}
    offered=$user_folders
    for f in "$forwarded" "$cublas" "$cudnn" "$nvrtc12" "$nvrtc13" "$cublas13"; do
        [[ -z $f || :$offered: == *":$f:"* ]] || offered+=${offered:+:}$f
    done
    if [[ -n $offered ]]; then
        export TWEEDIE_CUDA_LIBRARIES=$offered
        export LD_LIBRARY_PATH=${user_path:+$user_path:}$offered # by which libraries find each other
    fi
}

# PyTorch's line, or fails: its import takes long and is asked for once, $1 seconds at most; the answer is kept.
torch() {
    local s=$(($1 > 1 ? $1 : 1))
    if [[ ! -e $work/torch ]]; then
        timeout --kill-after=5 "$s" env LD_LIBRARY_PATH="$user_path" python3 -c 'import sys, torch; print(sys.version.split()[0], torch.__version__, torch.version.cuda, torch.backends.cudnn.version())' \
            > "$work/torch" 2>> "$log" || case $? in
                124 | 137) echo "import torch: time limit of $s s" > "$work/no-torch" ;;
                *) echo 'no torch' > "$work/no-torch" ;;
            esac
    fi
    [[ ! -e $work/no-torch ]] && tail -n 1 "$work/torch"
}
