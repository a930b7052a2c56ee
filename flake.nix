{
  description = "Workflow Assistant, and JupyterLab beside it";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # Wheels from the lock look for these where a usual Linux has them, and Nix has not.
      libraries =
        pkgs:
        if pkgs.stdenv.isLinux then
          nixpkgs.lib.makeLibraryPath [
            pkgs.stdenv.cc.cc.lib
            pkgs.zlib
          ]
        else
          "";

      # The first start fills a virtual environment from the lock; one for each version of the source.
      app =
        pkgs:
        pkgs.writeShellApplication {
          name = "assistant";
          runtimeInputs = [
            pkgs.coreutils
            pkgs.python3
          ];
          text = ''
            cache="''${XDG_CACHE_HOME:-$HOME/.cache}/workflow-assistant"
            venv="$cache/${baseNameOf (toString self)}-${pkgs.python3.version}"
            export LD_LIBRARY_PATH="${libraries pkgs}''${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
            if [ ! -e "$venv/made" ]; then
              echo "Setting up $venv (once) ..." >&2
              rm -rf "$venv"
              mkdir -p "$cache"
              python3 -m venv "$venv"
              "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r ${self}/requirements.lock
              "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation ${self}
              touch "$venv/made"
            fi
            exec "$venv/bin/assistant" "$@"
          '';
        };

      # JupyterLab comes from nixpkgs; its kernel "Workflow Assistant" is the project's own Python, with ipykernel added last.
      lab =
        pkgs:
        let
          jupyter = pkgs.python3.withPackages (python: [ python.jupyterlab ]);
          kernel = pkgs.writeShellScript "assistant-kernel" ''
            exec "$ASSISTANT_REPOSITORY/.venv/bin/python" -c '
            import site
            site.addsitedir("${jupyter}/${pkgs.python3.sitePackages}")
            from ipykernel.kernelapp import launch_new_instance
            launch_new_instance()
            ' "$@"
          '';
          spec = pkgs.writeTextDir "kernels/assistant/kernel.json" (
            builtins.toJSON {
              argv = [
                "${kernel}"
                "-f"
                "{connection_file}"
              ];
              display_name = "Workflow Assistant";
              language = "python";
            }
          );
        in
        pkgs.writeShellApplication {
          name = "jupyter-lab";
          text = ''
            export JUPYTER_PATH="${spec}''${JUPYTER_PATH:+:$JUPYTER_PATH}"
            exec ${jupyter}/bin/jupyter-lab "$@"
          '';
        };
    in
    {
      packages = each (pkgs: {
        default = app pkgs;
      });

      apps = each (pkgs: {
        default = {
          type = "app";
          program = "${app pkgs}/bin/assistant";
        };
      });

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.gnumake
            pkgs.python3
            pkgs.ruff
            (lab pkgs)
          ]
          ++ nixpkgs.lib.optional pkgs.stdenv.isLinux pkgs.chromium;

          RUFF = "${pkgs.ruff}/bin/ruff"; # the lock's own is a program that NixOS can not start
          PLAYWRIGHT_NODEJS_PATH = "${pkgs.nodejs}/bin/node"; # the same

          shellHook = ''
            export ASSISTANT_REPOSITORY="$PWD"
            export LD_LIBRARY_PATH="${libraries pkgs}''${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
            make setup && export PATH="$PWD/.venv/bin:$PATH"
            echo "assistant: the assistant.  jupyter-lab: notebooks, kernel \"Workflow Assistant\".  make test: every check." >&2
          '';
        };
      });
    };
}
