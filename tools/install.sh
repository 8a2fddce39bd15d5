#!/bin/sh
# install.sh PACKAGE... installs what make needs and go cannot fetch, by the system's package manager, as
# root or with sudo. It says so first, and does nothing, silently, where it is installed already.
set -eu

min_postgresql=14

say() { echo "install.sh: $*" >&2; }
fail() {
	say "$*"
	exit 1
}

# as_root WHAT SHOWN COMMAND... runs a command as root to install WHAT, and prints SHOWN for it.
as_root() {
	what=$1 shown=$2
	shift 2
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || fail "$what is missing, and neither root nor sudo is at hand: run $shown as root"
		set -- sudo "$@"
		shown="sudo $shown"
	fi
	say "$what is missing, installing it: $shown"
	"$@" >&2 || fail "$what is still missing, see above: $shown"
}

has() { command -v "$1" >/dev/null; }

# has_postgresql looks where internal/devpg looks.
has_postgresql() {
	for postgres in "$(command -v postgres || :)" \
		/usr/lib/postgresql/*/bin/postgres \
		/usr/pgsql-*/bin/postgres \
		/usr/lib/postgresql*/bin/postgres \
		/usr/libexec/postgresql*/postgres \
		/opt/homebrew/opt/postgresql*/bin/postgres \
		/usr/local/opt/postgresql*/bin/postgres \
		/home/linuxbrew/.linuxbrew/opt/postgresql*/bin/postgres \
		/Applications/Postgres.app/Contents/Versions/*/bin/postgres \
		/Library/PostgreSQL/*/bin/postgres; do
		[ -x "$postgres" ] && [ -x "${postgres%/*}/initdb" ] || continue
		major=$("$postgres" --version | sed -n 's/.*(PostgreSQL) \([0-9]*\).*/\1/p')
		[ "${major:-0}" -ge "$min_postgresql" ] && return
	done
	return 1
}

# Debian would make a cluster and start it on port 5432. A file beside the administrator's settings, which
# is there for as long as the installation takes, prevents that and changes none of them.
apt_script='
	settings=/etc/postgresql-common/createcluster.d
	mkdir -p "$settings"
	trap "rm -f $settings/portaldb-install.conf" EXIT
	trap "exit 1" HUP INT TERM
	echo "create_main_cluster = false" >"$settings/portaldb-install.conf"
	export DEBIAN_FRONTEND=noninteractive
	install="apt-get install -q -y --no-install-recommends postgresql"
	$install || { apt-get update -q && $install; }'

install_postgresql() {
	has_postgresql && return
	name="PostgreSQL $min_postgresql or later"
	if has apt-get; then
		as_root "$name" "apt-get install postgresql" sh -c "$apt_script"
	elif has dnf; then
		set -- dnf install -y postgresql-server postgresql-contrib
		as_root "$name" "$*" "$@"
	elif has apk; then
		set -- apk add --update-cache postgresql postgresql-contrib
		as_root "$name" "$*" "$@"
	elif has pacman; then
		as_root "$name" "pacman -S postgresql" sh -c \
			'install="pacman --noconfirm --needed -S"; $install postgresql || $install -y postgresql'
	elif has zypper; then
		set -- zypper --non-interactive install postgresql-server postgresql-contrib
		as_root "$name" "$*" "$@"
	elif has brew; then
		say "$name is missing, installing it: brew install postgresql@17"
		brew install postgresql@17 >&2
	else
		fail "$name is missing, and there is no apt-get, dnf, apk, pacman, zypper or brew: install server and contrib by hand"
	fi
	has_postgresql || fail "$name is still missing, this system packages an older one: see https://www.postgresql.org/download/"
}

# Debian would start the server on port 80. A policy, which is there for as long as the installation takes, prevents that.
nginx_script='
	policy=/usr/sbin/policy-rc.d
	[ -e "$policy" ] || { trap "rm -f $policy" EXIT; printf "#!/bin/sh\nexit 101\n" >"$policy"; chmod +x "$policy"; }
	trap "exit 1" HUP INT TERM
	export DEBIAN_FRONTEND=noninteractive
	install="apt-get install -q -y --no-install-recommends nginx-light"
	$install || { apt-get update -q && $install; }'

install_nginx() {
	if has nginx || [ -x /usr/sbin/nginx ]; then
		return
	fi
	if has apt-get; then
		as_root nginx "apt-get install nginx-light" sh -c "$nginx_script"
	elif has dnf; then
		as_root nginx "dnf install -y nginx" dnf install -y nginx
	elif has apk; then
		as_root nginx "apk add --update-cache nginx" apk add --update-cache nginx
	elif has brew; then
		say "nginx is missing, installing it: brew install nginx"
		brew install nginx >&2
	else
		fail "nginx is missing, which the bench measures against: install it by hand"
	fi
}

min_node=18

has_node() {
	has npm && has node && [ "$(node --version | sed -n 's/^v\([0-9]*\).*/\1/p')" -ge "$min_node" ]
}

install_node() {
	has_node && return
	name="Node $min_node or later, with npm"
	if has apt-get; then
		install='DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends nodejs npm'
		as_root "$name" "apt-get install nodejs npm" sh -c "$install || { apt-get update -q && $install; }"
	elif has dnf; then
		as_root "$name" "dnf install -y nodejs npm" dnf install -y nodejs npm
	elif has apk; then
		as_root "$name" "apk add --update-cache nodejs npm" apk add --update-cache nodejs npm
	elif has pacman; then
		as_root "$name" "pacman -S nodejs npm" pacman --noconfirm --needed -Sy nodejs npm
	elif has zypper; then
		as_root "$name" "zypper install nodejs npm" zypper --non-interactive install nodejs npm
	elif has brew; then
		say "$name is missing, installing it: brew install node"
		brew install node >&2
	else
		fail "$name is missing: install it by hand"
	fi
	has_node || fail "$name is still missing, this system packages an older one: see https://nodejs.org"
}

[ $# -gt 0 ] || set -- ''
for package; do
	case $package in
	postgresql) install_postgresql ;;
	nginx) install_nginx ;;
	node) install_node ;;
	*)
		echo "usage: install.sh postgresql|nginx|node" >&2
		exit 2
		;;
	esac
done
