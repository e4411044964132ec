#!/usr/bin/env bash
# slapd.sh start | env | stop | with COMMAND [ARGUMENT]...
#   A throwaway OpenLDAP server on free ports of 127.0.0.1 with a private CA, memberOf, a handful of people (some with
#   difficult names) and groups. Needs slapd, ldap-utils, openssl; no root.
#   start   starts a fresh one (replacing the last) and prints NAME=value lines for a shell to eval; env prints them again
#   stop    ends it and deletes all of it
#   with    runs COMMAND with these variables against a server of its own, which ends with it
# SLAPD_URI, SLAPD_TLS_URI     ldap:// (with StartTLS) and ldaps://
# SLAPD_CA                     the CA's certificate, PEM; the server's names are localhost and 127.0.0.1
# SLAPD_BASE                   base DN; people in ou=People, groups in ou=Groups
# SLAPD_BIND_DN, SLAPD_BIND_PASSWORD    an account that may read;  SLAPD_ADMIN_DN, SLAPD_ADMIN_PASSWORD  one that may write
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where slapd is, also for an ordinary user
state=${XDG_CACHE_HOME:-$HOME/.cache}/hookswitch/directory
base=dc=example,dc=org
admin=cn=admin,$base

say() { printf 'directory rig: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

stop() {
  local pid tries
  pid=$(cat "$state/slapd.pid" 2>/dev/null) || pid=''
  # a recycled number is somebody else's process
  if [ -n "$pid" ] && grep -qsF "$state/slapd.conf" "/proc/$pid/cmdline"; then
    kill "$pid"
    for ((tries = 0; tries < 200; tries++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.05
    done
    kill -0 "$pid" 2>/dev/null && die "slapd ($pid) does not end"
  fi
  rm -rf "$state"
}

certificates() {
  local tls=$state/tls
  mkdir -p "$tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj '/CN=Directory rig CA' -keyout "$tls/ca.key" -out "$tls/ca.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$tls/server.key" -out "$tls/server.csr" 2>/dev/null
  printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' 'basicConstraints=CA:FALSE' 'extendedKeyUsage=serverAuth' >"$tls/ext"
  openssl x509 -req -days 7 -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial \
    -extfile "$tls/ext" -out "$tls/server.pem" 2>/dev/null
}

configuration() {
  mkdir -p "$state/data"
  # Two Active Directory attributes that group queries like to use, under their registered numbers.
  cat >"$state/ad.schema" <<X
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.141 NAME 'department' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 2.25.270981344816207563 NAME 'rigPerson' SUP top AUXILIARY MAY ( sAMAccountName \$ department ) )
X
  cat >"$state/slapd.conf" <<X
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include "$state/ad.schema"
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile "$state/slapd.pid"
TLSCACertificateFile "$state/tls/ca.pem"
TLSCertificateFile "$state/tls/server.pem"
TLSCertificateKeyFile "$state/tls/server.key"
database mdb
suffix "$base"
rootdn "$admin"
rootpw adminpw
directory "$state/data"
dbnosync
index objectClass,uid,member,memberOf eq
overlay memberof
memberof-group-oc groupOfNames
access to attrs=userPassword by anonymous auth by * none
access to * by * read
X
}

# person CN DEPARTMENT OFFICE UID; base64, since a UID may hold any character
person() {
  printf 'dn: cn=%s,ou=People,%s\nobjectClass: inetOrgPerson\nobjectClass: rigPerson\n' "$1" "$base"
  printf 'cn: %s\nsn: %s\ndepartment: %s\nou: %s\nl: %s\nuserPassword: secret\n' "$1" "$1" "$2" "$2" "$3"
  printf 'uid:: %s\n' "$(printf %s "$4" | base64 -w 0)"
  printf 'sAMAccountName:: %s\n\n' "$(printf %s "$4" | base64 -w 0)"
}

group() { # CN MEMBER...; a comma in a DN needs its backslash
  printf 'dn: cn=%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: %s\n' "${1//,/\\,}" "$base" "$1"
  shift
  printf "member: cn=%s,ou=People,$base\n" "$@"
  echo
}

entries() {
  printf 'dn: %s\nobjectClass: organization\nobjectClass: dcObject\no: Example\ndc: example\n\n' "$base"
  local unit
  for unit in People Groups Services; do
    printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n' "$unit" "$base" "$unit"
  done
  printf 'dn: cn=agent,ou=Services,%s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n' "$base"
  printf 'cn: agent\nuserPassword: agentpw\n\n'
  person Alice Sales Austin alice
  person Bob Engineering Swindon bob
  person Carol 'Human Resources' Austin carol
  person Dora Sales Swindon dora
  # Each of these must find itself alone, and nobody else.
  person Star Sales Austin '*'
  person Injection Sales Austin 'a)(uid=*'
  person Backslash Engineering Austin "DOM\\back"
  person 'Umlaut' Engineering Swindon 'josé.müller'
  person Apostrophe Sales Swindon "o'brien"
  person Parens Sales Swindon 'pa(ren)'
  group Sales Alice Dora Star Injection Apostrophe Parens
  group Engineering Bob Backslash Umlaut
  group 'Night Shift' Alice Bob
  group 'Sales, Austin' Alice
}

start() {
  local tool attempt port tls_port uri tries
  for tool in slapd ldapadd ldapsearch openssl base64; do
    command -v "$tool" >/dev/null || die "$tool is missing (Debian packages: slapd ldap-utils openssl)"
  done
  stop
  mkdir -p "$state"
  chmod 700 "$state"
  certificates
  configuration
  # slapd cannot be told "any free port": take two by chance, and others if one is taken
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 12000))
    tls_port=$((port + 1 + RANDOM % 500))
    uri=ldap://127.0.0.1:$port
    setsid slapd -f "$state/slapd.conf" -h "$uri/ ldaps://127.0.0.1:$tls_port/" -d 0 >"$state/slapd.log" 2>&1 </dev/null &
    for ((tries = 0; tries < 200; tries++)); do
      # slapd writes its number only when both ports are its own
      if [ -s "$state/slapd.pid" ] && ldapsearch -x -H "$uri" -b '' -s base >/dev/null 2>&1; then break 2; fi
      kill -0 $! 2>/dev/null || break
      sleep 0.05
    done
    kill $! 2>/dev/null || :
    [ "$attempt" != 10 ] || { cat "$state/slapd.log" >&2; die "slapd does not answer"; }
  done
  # through the server, not slapadd: only so does the memberOf overlay see the groups
  entries | ldapadd -x -H "$uri" -D "$admin" -w adminpw >"$state/load.log" 2>&1 ||
    { cat "$state/load.log" >&2; stop; die "the entries were refused"; }
  printf '%s=%q\n' SLAPD_URI "$uri" SLAPD_TLS_URI "ldaps://127.0.0.1:$tls_port" SLAPD_CA "$state/tls/ca.pem" \
    SLAPD_BASE "$base" SLAPD_BIND_DN "cn=agent,ou=Services,$base" SLAPD_BIND_PASSWORD agentpw \
    SLAPD_ADMIN_DN "$admin" SLAPD_ADMIN_PASSWORD adminpw >"$state/env"
}

case ${1:-} in
  start) start; cat "$state/env" ;;
  env) cat "$state/env" 2>/dev/null || die "not running" ;;
  stop) stop ;;
  with)
    shift
    [ $# -gt 0 ] || die "with: which command?"
    mkdir -p "${state%/*}"
    state=$(mktemp -d "${state%/*}/directory.XXXXXX")
    trap stop EXIT
    trap 'exit 130' INT TERM
    start
    set -a
    # shellcheck disable=SC1091  # written by start
    . "$state/env"
    set +a
    status=0
    "$@" || status=$?
    exit "$status"
    ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
